import type { HealthSample } from '../events/catalogue/health.js'

/** What all processes of a machine share; null: not measurable here. */
export type HostReadings = HealthSample['host']

/** Where a machine's readings come from: the system that this process runs on, or an exporter elsewhere. */
export interface HostSource {
  /** The machine as it is now; rates are over the time since the call before, `elapsedMs`. Never waits. */
  readonly take: (elapsedMs: number) => HostReadings
  readonly close: () => void
}
