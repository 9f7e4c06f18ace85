// What must hold after a fault, read off the log and the viewer. Every finding is a sentence; none means that all held.
import { deciders } from '../../dist/actors/index.js'
import { canonicalJson } from '../../dist/events/index.js'
import { replayAll } from '../../dist/projections/index.js'
import { budgetMs } from '../../dist/simulation/checkers/endings.js'
import { defaultStreamPolicy } from '../../dist/events/index.js'

/** Facts that tell of something that happens once. */
const once = new Set([
  ...['ServerJoined', 'HealthSampled', 'HandoverRequested', 'StandbyActivated', 'BufferStitched', 'CutoverReached'],
  ...['PrimaryDrained', 'BufferSynchronized', 'ClientConnected', 'ClientLeft'],
])

/** What tells two reports apart, whatever id they carry. */
function identityOf({ type, data }) {
  switch (type) {
    case 'HealthSampled':
      return `${data.sample.bootId} ${data.sample.seq}`
    case 'ServerJoined':
      return data.bootId
    case 'StandbyActivated':
    case 'BufferStitched':
    case 'BufferSynchronized':
      // The same order may be carried out again by a process that was started anew.
      return `${data.order} ${data.server} ${data.elapsedMs}`
    case 'CutoverReached':
      return `${data.epoch} ${data.server} ${data.reachedAt}`
    case 'PrimaryDrained':
      return `${data.epoch} ${data.server} ${data.elapsedMs}`
    case 'HandoverRequested':
      return data.reference
    case 'ClientConnected':
    case 'ClientLeft':
      return null
    default:
      return null
  }
}

/**
 * Counts events that were acknowledged to whoever told of them and are missing, and those that are there twice.
 * A server numbers its samples: a number left out is a sample that was lost.
 */
export function countAcknowledged(events, confirmed) {
  const ids = new Map()
  const contents = new Map()
  const samples = new Map()
  const findings = []
  for (const event of events) {
    ids.set(event.id, (ids.get(event.id) ?? 0) + 1)
    const identity = once.has(event.type) ? identityOf(event) : null
    if (identity !== null) {
      const content = `${event.streamId} ${event.type} ${identity}`
      contents.set(content, (contents.get(content) ?? 0) + 1)
    }
    if (event.type !== 'HealthSampled') continue
    const { bootId, seq } = event.data.sample
    const key = `${event.streamId} ${bootId}`
    samples.set(key, [...(samples.get(key) ?? []), seq])
  }
  const twice = [...contents, ...ids].filter(([, count]) => count > 1).map(([content]) => content)
  const unrecorded = confirmed.filter((id) => !ids.has(id))
  let lostSamples = 0
  for (const [key, seqs] of samples) {
    lostSamples += Math.max(...seqs) + 1 - new Set(seqs).size
    const disordered = seqs.findIndex((seq, index) => index > 0 && seq <= seqs[index - 1])
    if (disordered !== -1)
      findings.push(`samples of ${key} are not in order: ${seqs[disordered]} after ${seqs[disordered - 1]}`)
  }
  if (lostSamples > 0) findings.push(`${lostSamples} health sample(s) lost`)
  for (const id of unrecorded) findings.push(`event ${id} was confirmed and is not in the log`)
  for (const content of twice) findings.push(`twice in the log: ${content}`)
  return { lost: lostSamples + unrecorded.length, doubled: twice.length, findings }
}

/** Invariant 1, as far as the log shows it: epochs and cut-overs only rise, and only what was announced is switched to. */
export function checkAuthority(events) {
  const findings = []
  const streams = new Map()
  for (const { streamId, type, data } of events) {
    if (!streamId.startsWith('stream-')) continue
    const seen = streams.get(streamId) ?? { epoch: 0, cutover: -1, announced: null }
    streams.set(streamId, seen)
    const rise = (epoch, cutover) => {
      if (epoch <= seen.epoch) findings.push(`${streamId}: epoch ${epoch} after ${seen.epoch}`)
      if (cutover <= seen.cutover) findings.push(`${streamId}: K ${cutover} after ${seen.cutover}`)
      seen.epoch = Math.max(seen.epoch, epoch)
      seen.cutover = Math.max(seen.cutover, cutover)
    }
    if (type === 'PlacementDecided') rise(data.epoch, data.cutover)
    if (type === 'CutoverChosen') {
      rise(data.epoch, data.cutover)
      seen.announced = `${data.epoch} from ${data.cutover}`
    }
    if (type === 'CutoverRevoked') {
      if (data.stayEpoch <= seen.epoch) findings.push(`${streamId}: epoch ${data.stayEpoch} after ${seen.epoch}`)
      seen.epoch = Math.max(seen.epoch, data.stayEpoch)
      seen.announced = null
    }
    if (type !== 'StreamSwitched') continue
    const switched = `${data.epoch} from ${data.cutover}`
    if (switched !== seen.announced)
      findings.push(`${streamId}: switched to ${switched}; announced was ${seen.announced}`)
    seen.announced = null
  }
  return findings
}

/** Invariant 5: every handover has ended, within its budget and the time in which nobody could decide. */
export function checkEndings(events, idleMs) {
  const findings = []
  const open = new Map()
  const limitMs = budgetMs(defaultStreamPolicy) + idleMs
  for (const { type, data, metadata } of events) {
    if (type === 'HandoverStarted') open.set(data.handover, metadata.occurredAt)
    if (type !== 'HandoverCompleted' && type !== 'HandoverAborted') continue
    const since = open.get(data.handover)
    if (since === undefined) findings.push(`${data.handover} ended, which was not under way`)
    else if (metadata.occurredAt - since > limitMs) {
      findings.push(`${data.handover} took ${metadata.occurredAt - since} ms; its budget is ${limitMs} ms`)
    }
    open.delete(data.handover)
  }
  for (const handover of open.keys()) findings.push(`${handover} has not ended`)
  return findings
}

/** Invariant 4: the rules derive every recorded decision again. */
export async function checkReplay(events) {
  const verdict = await replayAll(eachOf(events), deciders)
  if (verdict.identical) return []
  const { difference, unreadable } = verdict
  return [`replay differs: ${unreadable ?? JSON.stringify(difference)}`]
}

async function* eachOf(events) {
  for (const event of events) yield event
}

/** Invariant 3 once more, at the end: what another process has read of the log is still there, unchanged. */
export function checkKept(seen, read) {
  const kept = new Map(read.map((event) => [event.id, canonicalJson(event)]))
  return seen
    .filter((event) => kept.get(event.id) !== canonicalJson(event))
    .map(({ id, streamId, type }) => `${type} (${id}) of ${streamId} was read before and is no longer there as it was`)
}

/** How the handovers begun in these events ended. */
export function endingsOf(events) {
  const endings = new Map()
  for (const { type, data } of events) {
    if (type === 'HandoverStarted') endings.set(data.handover, { cause: data.cause, end: 'open' })
    const known = endings.get(data?.handover)
    if (known === undefined) continue
    if (type === 'HandoverCompleted') known.end = 'completed'
    if (type === 'HandoverAborted') known.end = `aborted (${data.reason})`
  }
  return [...endings.values()].map(({ cause, end }) => `${cause} ${end}`)
}
