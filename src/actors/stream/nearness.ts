import type { Coordinates, EventIn, FleetServer } from '../../events/index.js'

type AudienceSeen = Extract<EventIn<'stream'>, { readonly type: 'AudienceSeen' }>

/** What was last heard of each edge's viewers; edges without any are left out. */
export type Audience = ReadonlyArray<AudienceSeen['data']>

const edgesMax = 64
const earthRadiusKm = 6_371
/**
 * Light in fibre covers 200 km in a millisecond (refractive index 1.47), there and back 100; cables do not lie straight, and
 * routers add their part, for which half as much again is taken.
 */
const rttMsPerKm = 1.5 / 100
/** A place whose viewers are this much farther away than those of the nearest one is worth a point less, */
const msPerPoint = 5
/** and no more than so many points: stability matters more than distance. */
const pointsMax = 20

const noPoints: ReadonlyMap<string, number> = new Map()

/** The audience with what an edge says of its viewers now. */
export const withHeard = (audience: Audience, heard: AudienceSeen['data']): Audience => {
  const others = audience.filter(({ edge }) => edge !== heard.edge)
  return heard.sessions === 0 ? others : [...others, heard].slice(-edgesMax)
}

/** Great-circle distance in km, by the haversine formula on a sphere. */
export function distanceKm(a: Coordinates, b: Coordinates): number {
  const rad = (degrees: number): number => (degrees * Math.PI) / 180
  const half = (of: 'latitude' | 'longitude'): number => Math.sin(rad(b[of] - a[of]) / 2) ** 2
  const chord = half('latitude') + Math.cos(rad(a.latitude)) * Math.cos(rad(b.latitude)) * half('longitude')
  return 2 * earthRadiusKm * Math.asin(Math.sqrt(Math.min(1, chord)))
}

/**
 * Mean round trip in milliseconds between a server and the viewers of a stream: as measured by the server itself when it has
 * viewers, else from the distances; null when neither is known.
 */
export function roundTripMs(server: FleetServer, audience: Audience): number | null {
  const measured = audience.find(({ edge }) => edge === server.id)?.rttMs ?? null
  if (measured !== null) return measured
  const { location } = server
  if (location === null) return null
  // Viewers listen to two edges, so both tell of them: as that is so for all, the mean is the same.
  const places = audience.flatMap((heard) => heard.places)
  const sessions = places.reduce((sum, place) => sum + place.sessions, 0)
  if (sessions === 0) return null
  const km = places.reduce((sum, place) => sum + place.sessions * distanceKm(location, place.location), 0) / sessions
  return km * rttMsPerKm
}

/**
 * Points of worth that each server loses because others are nearer to the viewers. A server whose distance nobody knows loses
 * what the others lose on average: saying nothing is neither rewarded nor punished.
 */
export function farPoints(fleet: ReadonlyArray<FleetServer>, audience: Audience): ReadonlyMap<string, number> {
  if (audience.length === 0) return noPoints
  const known = fleet.flatMap((server): ReadonlyArray<readonly [string, number]> => {
    const ms = roundTripMs(server, audience)
    return ms === null ? [] : [[server.id, ms]]
  })
  if (known.length === 0) return noPoints
  const nearest = Math.min(...known.map(([, ms]) => ms))
  const points = new Map(known.map(([id, ms]) => [id, Math.min(pointsMax, (ms - nearest) / msPerPoint)]))
  const mean = [...points.values()].reduce((sum, each) => sum + each, 0) / points.size
  return new Map(fleet.map(({ id }) => [id, points.get(id) ?? mean]))
}
