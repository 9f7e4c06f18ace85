/**
 * Faults and look-alikes of media servers, as they show in six metrics. Times are ranges in seconds, effects are factors
 * on the server's own normal (cpu and memory: shares towards 1), drawn evenly, so that no single shape is learned.
 *
 * Sources: 36-56 % of failing drives gave no signal (Pinheiro et al., FAST'07), so about a third of the incidents here
 * come without warning; leads of about three minutes in HPC logs (Das et al., Desh, HPDC'18) for the quick kinds; memory
 * leaks that grow evenly until the limit (Grottke & Trivedi, software ageing); congestion that shows as delay and
 * jitter before loss (RFC 6817, section 2). What has no source is marked "assumed" and drawn from a wide range.
 */
export type FaultKind = 'leak' | 'cpu' | 'disk' | 'nic' | 'thermal' | 'overload' | 'crash'

export type Range = readonly [from: number, to: number]

/** How far a fault moves each metric when it is complete. Absent: not at all. */
export interface Effect {
  /** What the server has to do besides, as a share of what it can: all that follows load follows. */
  readonly load?: Range
  /** Share of the way from the present value to 1. */
  readonly cpu?: Range
  readonly memory?: Range
  /** Factors. */
  readonly rttMs?: Range
  readonly lossPct?: Range
  readonly jitterMs?: Range
  readonly diskLatencyMs?: Range
}

export interface Shape {
  readonly kind: string
  readonly weight: number
  readonly seconds: Range
  /** Exponent of the way: 1 even, above 1 late and steep, below 1 early. */
  readonly bend: Range
  /** Seconds in which it falls back, unless it ends in an incident. Absent: `fades`. */
  readonly fade?: Range
  /** `bump`: it swells and goes down again by itself. Absent: a ramp. */
  readonly form?: 'bump'
  readonly effect: Effect
}

export const fades: Range = [5, 180]

/** Ramps that end in an incident, or recover by themselves on the way. */
export const ramps: ReadonlyArray<Shape & { readonly kind: FaultKind }> = [
  {
    kind: 'leak',
    weight: 1,
    seconds: [480, 7_200],
    bend: [0.5, 1.1],
    effect: { memory: [0.9, 1], diskLatencyMs: [1, 1.2] },
  },
  // A neighbour on the same host, or a loop in a worker: assumed.
  {
    kind: 'cpu',
    weight: 1,
    seconds: [60, 420],
    bend: [1, 3],
    effect: { cpu: [0.8, 1], jitterMs: [1.7, 3], rttMs: [1, 1.1] },
  },
  { kind: 'disk', weight: 1, seconds: [180, 1_500], bend: [0.8, 2.2], effect: { diskLatencyMs: [5, 22] } },
  {
    kind: 'nic',
    weight: 1,
    seconds: [45, 300],
    bend: [1, 3.2],
    effect: { lossPct: [12, 60], rttMs: [1.4, 2.2], jitterMs: [1.8, 4] },
  },
  {
    kind: 'thermal',
    weight: 1,
    seconds: [240, 2_400],
    bend: [0.6, 2],
    effect: { cpu: [0.15, 0.45], rttMs: [1.12, 1.45] },
  },
  {
    kind: 'overload',
    weight: 1,
    seconds: [180, 1_500],
    bend: [0.8, 2],
    effect: { load: [0.2, 0.6], cpu: [0.5, 1], rttMs: [1.1, 1.6], jitterMs: [1.2, 2.2], diskLatencyMs: [1, 1.5] },
  },
]

/** What looks like trouble and is none. All assumed. */
export const lookAlikes: ReadonlyArray<Shape> = [
  // A collector that runs late: memory climbs and falls back.
  { kind: 'collection', weight: 1, seconds: [600, 3_600], bend: [0.8, 1.2], effect: { memory: [0.2, 0.6] } },
  // It is there at once, stays as it is, and is gone at once.
  {
    kind: 'backup',
    weight: 3,
    seconds: [120, 1_200],
    bend: [0.01, 0.15],
    fade: [0, 20],
    effect: { diskLatencyMs: [1.7, 5], cpu: [0.01, 0.12] },
  },
  { kind: 'load', weight: 2, seconds: [120, 1_800], bend: [0.6, 1.5], form: 'bump', effect: { load: [0.12, 0.45] } },
  // A route that changes: packets are lost for some seconds, and nothing else is wrong.
  {
    kind: 'blip',
    weight: 3,
    seconds: [5, 60],
    bend: [0.01, 0.1],
    fade: [0, 5],
    effect: { lossPct: [3, 30], jitterMs: [1.3, 4.5], rttMs: [1, 1.12] },
  },
  {
    kind: 'congestion',
    weight: 0.5,
    seconds: [20, 120],
    bend: [0.5, 2],
    effect: { lossPct: [3, 14], rttMs: [1.1, 1.5], jitterMs: [1.3, 2.5] },
  },
]

/** Share of incidents without any warning. */
export const silentShare = 0.32
/** Share of ramps that recover by themselves. */
export const recoveringShare = 0.5
/** How far a recovering ramp comes. */
export const recoversAt: Range = [0.2, 0.8]
/** How far a ramp has come when the server fails. */
export const failsAt: Range = [0.9, 1]
