import {
  fades,
  lookAlikes,
  ramps,
  recoversAt,
  failsAt,
  recoveringShare,
  silentShare,
  type Effect,
  type FaultKind,
  type Range,
} from './kinds.js'

export interface FleetOptions {
  readonly stepS: number
  readonly calibrationHours: number
  readonly testHours: number
  /** Ramps and crashes, and look-alikes, a day. */
  readonly faultsPerDay: number
  readonly lookAlikesPerDay: number
  /** 1: levels and noise of an ordinary fleet; larger: servers differ more from each other. */
  readonly variety: number
}

export const fleetDefaults: FleetOptions = {
  stepS: 5,
  calibrationHours: 6,
  testHours: 48,
  faultsPerDay: 4,
  lookAlikesPerDay: 7,
  variety: 1,
}

/** One server's telemetry: rows of six metrics, in the order of `columns`. */
export interface ServerSeries {
  readonly rows: number
  readonly calibrationRows: number
  readonly values: Float64Array
  /** Runs `[start, end)` as rows after the calibration. */
  readonly runs: ReadonlyArray<readonly [number, number]>
  readonly kinds: ReadonlyArray<FaultKind>
}

export const columns = ['cpu', 'memory', 'rttMs', 'lossPct', 'jitterMs', 'diskLatencyMs'] as const
const width = columns.length
const daySeconds = 86_400

export type Random = () => number
const between = (random: Random, [from, to]: Range): number => from + (to - from) * random()
/** A factor around 1: as likely to be twice as half. */
const factor = (random: Random, spread: number): number => Math.exp(spread * (random() + random() + random() - 1.5))
/** Close enough to a standard normal: a sum of four. */
const normal = (random: Random): number => (random() + random() + random() + random() - 2) * 1.732

interface Episode {
  readonly from: number
  readonly to: number
  readonly bend: number
  /** How far it comes, 0..1. */
  readonly reach: number
  readonly effect: Readonly<Record<(typeof columns)[number] | 'load', number>>
  readonly isBump: boolean
  /** Seconds in which the metrics fall back after a recovery. */
  readonly fade: number
}

interface Plan {
  readonly episodes: ReadonlyArray<Episode>
  readonly outages: ReadonlyArray<{ readonly from: number; readonly to: number; readonly kind: FaultKind }>
}

const drawn = (random: Random, effect: Effect): Episode['effect'] => ({
  load: between(random, effect.load ?? [0, 0]),
  cpu: between(random, effect.cpu ?? [0, 0]),
  memory: between(random, effect.memory ?? [0, 0]),
  rttMs: between(random, effect.rttMs ?? [1, 1]),
  lossPct: between(random, effect.lossPct ?? [1, 1]),
  jitterMs: between(random, effect.jitterMs ?? [1, 1]),
  diskLatencyMs: between(random, effect.diskLatencyMs ?? [1, 1]),
})

const pick = <T extends { readonly weight: number }>(random: Random, list: ReadonlyArray<T>): T | undefined => {
  let left = random() * list.reduce((sum, { weight }) => sum + weight, 0)
  return list.find(({ weight }) => (left -= weight) < 0)
}

/** Draws when what happens to a server; nothing overlaps an outage or the half hour after it. */
const plan = (random: Random, options: FleetOptions): Plan => {
  const episodes: Episode[] = []
  const outages: { from: number; to: number; kind: FaultKind }[] = []
  const end = (options.calibrationHours + options.testHours) * 3_600
  const perSecond = (options.faultsPerDay + options.lookAlikesPerDay) / daySeconds
  const faultShare = options.faultsPerDay / (options.faultsPerDay + options.lookAlikesPerDay)
  let at = -Math.log(1 - random()) / perSecond
  while (at < end) {
    const isFault = random() < faultShare && at > options.calibrationHours * 3_600
    // A crash never recovers, so among what is drawn here crashes are rarer than among what fails.
    const isSilent = isFault && random() < (silentShare * (1 - recoveringShare)) / (1 - silentShare * recoveringShare)
    const outage = (kind: FaultKind, from: number): void => {
      const to = from + between(random, [120, 600])
      outages.push({ from, to, kind })
      at = to + 1_800
    }
    if (isSilent) outage('crash', at)
    else {
      const shape = isFault ? pick(random, ramps) : pick(random, lookAlikes)
      if (shape === undefined) continue
      const fails = isFault && random() >= recoveringShare
      const whole = between(random, shape.seconds)
      const reach = fails ? between(random, failsAt) : isFault ? between(random, recoversAt) : 1
      const bend = between(random, shape.bend)
      const to = at + whole * reach ** (1 / Math.max(bend, 0.3))
      episodes.push({
        from: at,
        to,
        bend,
        reach,
        effect: drawn(random, shape.effect),
        fade: fails ? 0 : between(random, shape.fade ?? fades),
        isBump: shape.form === 'bump',
      })
      if (fails) outage(shape.kind as FaultKind, to)
      else at = to
    }
    at += -Math.log(1 - random()) / perSecond
  }
  return { episodes, outages }
}

/** How far an episode has come at a time. */
const progress = ({ from, to, bend, reach, fade, isBump }: Episode, at: number): number => {
  if (at < from) return 0
  if (isBump) return at < to ? reach * Math.sin((Math.PI * (at - from)) / (to - from)) ** bend : 0
  if (at <= to) return reach * ((at - from) / (to - from)) ** bend
  return fade > 0 ? reach * Math.exp(-(at - to) / fade) : 0
}

/** What all servers of a fleet feel at once: factors on load and delay. */
export interface FleetWeather {
  readonly load: (at: number) => number
  readonly delay: (at: number) => number
}

/** One server's life. The same random numbers give the same life. */
export const serverSeries = (random: Random, weather: FleetWeather, options: FleetOptions): ServerSeries => {
  const { stepS, variety } = options
  const calibrationRows = Math.round((options.calibrationHours * 3_600) / stepS)
  const rows = calibrationRows + Math.round((options.testHours * 3_600) / stepS)
  const values = new Float64Array(rows * width)
  const { episodes, outages } = plan(random, options)
  const base = {
    load: between(random, [0.1, 0.4]) * factor(random, 0.3 * variety),
    daily: between(random, [0.05, 0.25]),
    memory: between(random, [0.25, 0.5]),
    rttMs: 22 * factor(random, 0.5 * variety),
    lossPct: 0.08 * factor(random, 0.6 * variety),
    jitterMs: 3 * factor(random, 0.4 * variety),
    diskLatencyMs: 3.4 * factor(random, 0.5 * variety),
  }
  const phase = random() * 2 * Math.PI
  const noise = columns.map(() => factor(random, 0.5 * variety))
  const wander = new Float64Array(width)
  const keep = Math.exp(-stepS / 60)
  let first = 0
  let outage = 0
  for (let row = 0; row < rows; row += 1) {
    const at = row * stepS
    while (outage < outages.length && (outages[outage]?.to ?? 0) <= at) outage += 1
    const isDown = (outages[outage]?.from ?? Infinity) <= at
    while (first < episodes.length && (episodes[first]?.to ?? 0) + 8 * (episodes[first]?.fade ?? 0) < at) first += 1
    for (let metric = 0; metric < width; metric += 1) {
      wander[metric] = keep * (wander[metric] ?? 0) + Math.sqrt(1 - keep * keep) * normal(random)
    }
    const jitter = (metric: number, wandering: number, single: number): number =>
      (noise[metric] ?? 1) * (wandering * (wander[metric] ?? 0) + single * normal(random))
    const swing = Math.sin((2 * Math.PI * at) / daySeconds + phase)
    const running: { readonly done: number; readonly effect: Episode['effect'] }[] = []
    for (let index = first; index < episodes.length; index += 1) {
      const episode = episodes[index]
      if (episode === undefined || episode.from > at) break
      running.push({ done: progress(episode, at), effect: episode.effect })
    }
    const extraLoad = running.reduce((sum, { done, effect }) => sum + done * effect.load, 0)
    const usual = (base.load + base.daily * (1 + swing)) * weather.load(at)
    const load = Math.max(0.03, usual + extraLoad + jitter(0, 0.04, 0.015))
    let cpu = load
    let memory = base.memory + 0.35 * load + jitter(1, 0.006, 0.002)
    let rttMs = base.rttMs * weather.delay(at) * (1 + 0.35 * load + jitter(2, 0.02, 0.035))
    let lossPct = base.lossPct * (1 + jitter(3, 0.15, 0.25))
    let jitterMs = base.jitterMs * weather.delay(at) * (1 + 0.5 * load + jitter(4, 0.05, 0.08))
    let diskLatencyMs = base.diskLatencyMs * (1 + 0.6 * load + jitter(5, 0.06, 0.1))
    for (const { done, effect } of running) {
      cpu += effect.cpu * done * Math.max(0, 1 - cpu)
      memory += effect.memory * done * Math.max(0, 1 - memory)
      rttMs *= 1 + (effect.rttMs - 1) * done
      lossPct *= 1 + (effect.lossPct - 1) * done
      jitterMs *= 1 + (effect.jitterMs - 1) * done
      diskLatencyMs *= 1 + (effect.diskLatencyMs - 1) * done
    }
    const to = row * width
    values[to] = isDown ? 0.02 : Math.min(1, cpu)
    values[to + 1] = isDown ? base.memory : Math.min(1, memory)
    values[to + 2] = isDown ? 0 : Math.max(0, rttMs)
    values[to + 3] = isDown ? 100 : Math.min(100, Math.max(0, lossPct))
    values[to + 4] = isDown ? base.jitterMs : Math.max(0, jitterMs)
    values[to + 5] = isDown ? 0 : Math.max(0, diskLatencyMs)
  }
  const inTest = outages
    .map(({ from, to, kind }) => ({
      kind,
      run: [
        Math.ceil(from / stepS) - calibrationRows,
        Math.min(Math.ceil(to / stepS), rows) - calibrationRows,
      ] as const,
    }))
    .filter(({ run }) => run[0] >= 0 && run[0] < run[1])
  return { rows, calibrationRows, values, runs: inTest.map(({ run }) => run), kinds: inTest.map(({ kind }) => kind) }
}
