import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One live programme over HTTP, as MPEG-TS, for any number of readers. */
export interface SharedSource {
  readonly url: string
  readonly close: () => Promise<void>
}

/** Frames after which the brightness begins anew. */
export const brightnessPeriod = 40
/** Which frame of the period has this brightness, from 0 to 255 (full range). */
export const frameOfBrightness = (level: number): number => Math.round((level / 255) * (219 / 5))

/** The brightness of the picture tells its frame apart from the ones around it: see `frameOfBrightness`. */
const programme = [
  ...['-hide_banner', '-loglevel', 'error', '-re', '-f', 'lavfi'],
  ...['-i', `color=black:size=320x180:rate=25,geq=lum='16+5*mod(N,${brightnessPeriod})':cb=128:cr=128`],
  ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-threads', '1'],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '25', '-pix_fmt', 'yuv420p'],
  ...['-color_range', 'tv', '-c:a', 'aac', '-f', 'mpegts', '-flush_packets', '1', 'pipe:1'],
]

export async function startSharedSource(): Promise<SharedSource> {
  const readers = new Set<ServerResponse>()
  const ffmpeg = spawn('ffmpeg', programme, { stdio: ['ignore', 'pipe', 'ignore'] })
  ffmpeg.stdout.on('data', (chunk: Buffer) => readers.forEach((reader) => reader.write(chunk)))
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'video/mp2t' })
    readers.add(response)
    response.once('close', () => readers.delete(response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/live.ts`,
    close: async () => {
      if (ffmpeg.exitCode === null) {
        ffmpeg.kill('SIGKILL')
        await once(ffmpeg, 'exit')
      }
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
