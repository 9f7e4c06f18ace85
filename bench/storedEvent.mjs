// What benchmarks write into stores: about 400 bytes of JSON with its metadata.
import { timeOrderedId } from '../dist/events/ids.js'

export const data = { cpu: 0.42, memory: 0.61, disk: 0.2, note: 'x'.repeat(200) }
export const metadata = {
  kind: 'fact',
  correlationId: 'bench',
  causationId: null,
  occurredAt: 1_700_000_000_000,
  actorVersion: 1,
}

export const anEvent = () => ({
  id: timeOrderedId(Date.now()),
  type: 'HealthSampled',
  schemaVersion: 1,
  data,
  metadata,
})
