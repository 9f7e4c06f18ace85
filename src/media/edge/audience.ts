import type { Coordinates, StreamPayload } from '../../events/index.js'
import { subjects } from '../../messaging/index.js'
import { factMessage, type PublishFact } from './facts.js'

type AudienceSeen = Extract<StreamPayload, { readonly type: 'AudienceSeen' }>['data']

/** Gathers where the sessions of an edge are, and how long a message to them and its answer take. */
export interface AudienceGathering {
  readonly entered: (stream: string, session: string, location: Coordinates | null) => void
  /** A round trip was measured, in milliseconds. */
  readonly roundTrip: (stream: string, session: string, rttMs: number) => void
  readonly left: (stream: string, session: string) => void
  readonly close: () => void
}

export interface AudienceOptions {
  readonly edge: string
  readonly publishFact: PublishFact
  readonly nowMs: () => number
  readonly everyMs: number
}

interface Member {
  readonly place: string | null
  rttMs: number | null
}

const placesMax = 32
/** Less is no news: by how much the sessions, the share of places and the round trips have to be others. */
const shareMin = 0.25
const rttMsMin = 5

/** AudienceSeen to a stream's log when it is notably another than what was told, at most once in `everyMs`. */
export function gatherAudience({ edge, publishFact, nowMs, everyMs }: AudienceOptions): AudienceGathering {
  const streams = new Map<string, Map<string, Member>>()
  const told = new Map<string, AudienceSeen>()

  const publish = (stream: string, data: AudienceSeen): void => {
    told.set(stream, data)
    const at = nowMs()
    publishFact(subjects.stream(stream), factMessage(at, { type: 'AudienceSeen', data }, edge, stream))
  }
  const look = (): void => {
    for (const [stream, members] of streams) {
      const seen = summaryOf(edge, members)
      const before = told.get(stream)
      // Of viewers who do not say where they are and cannot be measured there is nothing to tell.
      const isUnknown = before === undefined && seen.rttMs === null && seen.places.length === 0
      if (!isUnknown && (before === undefined || isAnother(before, seen))) publish(stream, seen)
      if (members.size > 0) continue
      streams.delete(stream)
      told.delete(stream)
    }
  }
  const timer = setInterval(look, everyMs).unref()

  return {
    entered(stream, session, location) {
      const members = streams.get(stream) ?? new Map<string, Member>()
      streams.set(stream, members)
      members.set(session, { place: location === null ? null : placeOf(location), rttMs: null })
    },
    roundTrip(stream, session, rttMs) {
      const member = streams.get(stream)?.get(session)
      if (member !== undefined) member.rttMs = rttMs
    },
    left: (stream, session) => void streams.get(stream)?.delete(session),
    close() {
      clearInterval(timer)
      for (const [stream] of told) publish(stream, { edge, sessions: 0, places: [], rttMs: null })
      streams.clear()
      told.clear()
    },
  }
}

/** Whole degrees are near enough for a choice of servers, and too coarse to find a person by. */
const placeOf = ({ latitude, longitude }: Coordinates): string => `${Math.round(latitude)},${Math.round(longitude)}`

function summaryOf(edge: string, members: ReadonlyMap<string, Member>): AudienceSeen {
  const counts = new Map<string, number>()
  const rtts: number[] = []
  for (const { place, rttMs } of members.values()) {
    if (place !== null) counts.set(place, (counts.get(place) ?? 0) + 1)
    if (rttMs !== null) rtts.push(rttMs)
  }
  rtts.sort((a, b) => a - b)
  const median = rtts[Math.floor((rtts.length - 1) / 2)]
  const places = [...counts]
    .toSorted(([a, some], [b, others]) => others - some || (a < b ? -1 : 1))
    .slice(0, placesMax)
    .map(([place, sessions]) => {
      const [latitude = 0, longitude = 0] = place.split(',').map(Number)
      return { location: { latitude, longitude }, sessions }
    })
  return { edge, sessions: members.size, places, rttMs: median === undefined ? null : Math.round(10 * median) / 10 }
}

function isAnother(before: AudienceSeen, now: AudienceSeen): boolean {
  if (Math.abs(now.sessions - before.sessions) > shareMin * Math.max(1, before.sessions)) return true
  if ((now.rttMs === null) !== (before.rttMs === null)) return true
  const rttBefore = before.rttMs ?? 0
  if (Math.abs((now.rttMs ?? 0) - rttBefore) > Math.max(rttMsMin, shareMin * rttBefore)) return true
  return movedShare(before, now) > shareMin
}

/** Which share of the sessions is elsewhere than before, 0 to 1. */
function movedShare(before: AudienceSeen, now: AudienceSeen): number {
  const sharesOf = ({ places, sessions }: AudienceSeen): ReadonlyMap<string, number> =>
    new Map(places.map((place) => [placeOf(place.location), place.sessions / Math.max(1, sessions)]))
  const [was, is] = [sharesOf(before), sharesOf(now)]
  const all = new Set([...was.keys(), ...is.keys()])
  return [...all].reduce((sum, place) => sum + Math.max(0, (is.get(place) ?? 0) - (was.get(place) ?? 0)), 0)
}
