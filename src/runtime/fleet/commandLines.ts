import { join } from 'node:path'
import { mainStream, type FleetPlan } from './options.js'

/** Where the parts of a fleet find one another. */
export interface FleetAddresses {
  readonly natsUrl: string
  readonly control: number
  readonly ingest: number
  readonly media: ReadonlyArray<number>
}

const flag = (name: string, value: string | number | undefined): ReadonlyArray<string> =>
  value === undefined ? [] : [`--${name}`, String(value)]

/** Arguments of `segue` for each part of the fleet. */
export function commandLines(plan: FleetPlan, addresses: FleetAddresses) {
  const { dataDir } = plan
  const common = (part: string): ReadonlyArray<string> => [
    ...flag('nats', addresses.natsUrl),
    ...flag('host', hostOf(plan, part)),
    ...flag('data', part === 'control' ? dataDir : join(dataDir, part)),
  ]
  return {
    control: [
      'control',
      ...common('control'),
      ...flag('port', addresses.control),
      ...flag('keys', plan.keysDir),
      ...flag('checkpoint-every', plan.checkpointEveryMs === undefined ? undefined : plan.checkpointEveryMs / 1_000),
      ...flag('standby', plan.standby),
      ...(plan.predict ? [] : ['--no-predict']),
      ...flag('threshold', plan.threshold),
      ...flag('buffer-segments', plan.bufferSegments),
      ...flag('cutover-lead', plan.cutoverLeadSegments),
    ],
    media: (id: string, port: number): ReadonlyArray<string> => [
      'media',
      ...common(id),
      ...flag('id', id),
      ...flag('port', port),
      ...flag('memory-limit', plan.memoryLimitMb),
      // Whatever is lost, the servers that are left must be able to carry it all.
      ...flag('capacity', Math.max(8, plan.streams * 2)),
      ...flag('sample-interval', plan.sampleIntervalMs),
      '--allow-faults',
    ],
    ingest: [
      'ingest',
      ...common('ingest'),
      ...flag('port', addresses.ingest),
      ...flag('stream', mainStream),
      ...flag('streams', plan.streams),
      ...flag('source', plan.source),
      ...flag('fps', plan.fps),
      ...flag('segment', plan.segmentMs),
      ...flag('height', plan.height),
      ...flag('renditions', plan.renditions),
      ...flag('audio-tracks', plan.audioTracks),
    ],
    watch: (stream: string): ReadonlyArray<string> => [
      'watch',
      ...flag('stream', stream),
      ...flag(
        'from',
        [
          urlOf(plan, 'control', addresses.control),
          ...addresses.media.map((port, index) => urlOf(plan, `s${index + 1}`, port)),
        ].join(','),
      ),
      ...flag('latency', plan.latencyMs / 1000),
      ...flag('sessions', plan.viewers),
      ...flag('rendition', plan.renditions === undefined ? undefined : tracksOf(plan.renditions).join(',')),
    ],
  }
}

/** Tracks of the pictures in a list such as `720p,360p,audio`. */
const tracksOf = (renditions: string): ReadonlyArray<string> => {
  const [, ...smaller] = renditions.split(',').filter((each) => each.trim() !== 'audio')
  return ['video', ...smaller.map((each) => `v${Number.parseInt(each, 10)}`)]
}

const hostOf = (plan: FleetPlan, part: string): string => plan.places[part]?.host ?? plan.host

/** Where a part of the fleet is reached. */
export const urlOf = (plan: FleetPlan, part: string, port: number): string =>
  `http://${urlHost(hostOf(plan, part))}:${port}`

/** An address that can be called, for one that can be listened on. */
export const urlHost = (host: string): string =>
  host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
