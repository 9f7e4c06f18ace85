import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A live programme over HTTP, as MPEG-TS, that can go off and come back. */
export interface LiveSource {
  readonly url: string
  /** Breaks every connection and refuses new ones. */
  readonly goOff: () => void
  readonly comeBack: () => void
  readonly close: () => Promise<void>
}

const programme = [
  ...['-hide_banner', '-loglevel', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=25'],
  ...['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '25', '-threads', '1'],
  ...['-c:a', 'aac', '-f', 'mpegts', 'pipe:1'],
]

export async function startLiveSource(): Promise<LiveSource> {
  const running = new Set<ChildProcess>()
  let isOff = false
  const server = createServer((_request, response) => {
    if (isOff) return void response.writeHead(503).end()
    const ffmpeg = spawn('ffmpeg', programme, { stdio: ['ignore', 'pipe', 'ignore'] })
    running.add(ffmpeg)
    ffmpeg.once('exit', () => running.delete(ffmpeg))
    response.writeHead(200, { 'content-type': 'video/mp2t' })
    ffmpeg.stdout.pipe(response)
    response.once('close', () => ffmpeg.kill('SIGKILL'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const goOff = (): void => {
    isOff = true
    for (const ffmpeg of running) ffmpeg.kill('SIGKILL')
    server.closeAllConnections()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/live.ts`,
    goOff,
    comeBack: () => {
      isOff = false
    },
    close: async () => {
      goOff()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
