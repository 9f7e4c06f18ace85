import type { FleetCondition, IncomingFact, ServerState } from '../../actors/index.js'
import { derivedId, type FleetServer } from '../../events/index.js'

/** How far back alarms and server-days are counted. */
const countedMs = 7 * 86_400_000
/** By how much the fleet has to be another before its servers are told. */
const scorePoints = 10
const grownDays = 0.25
const dayMs = 86_400_000
/** Who has been down for this long is no part of the fleet any more, until it is back: nobody waits for it. */
const goneAfterMs = 600_000

/** Knows how a fleet stands, and when that is worth telling its servers. */
export class FleetConditions {
  readonly #told = new Map<string, FleetCondition>()

  /** The condition as it is now. */
  conditionOf(fleet: ReadonlyArray<FleetServer>, states: ReadonlyArray<ServerState>, now: number): FleetCondition {
    const gone = new Set(states.filter((state) => isGone(state, now)).map(({ server }) => server))
    const present = fleet.filter(({ id, standing }) => standing !== 'draining' && !gone.has(id))
    const scores = present.map(({ score, standing }) => (standing === 'failed' ? 0 : score)).sort((a, b) => a - b)
    const free = present
      .filter(({ standing }) => standing === 'stable' || standing === 'watch')
      .reduce((sum, { roles, capacityStreams }) => sum + Math.max(0, capacityStreams - roles), 0)
    const sum = (of: (state: ServerState) => number): number => states.reduce((all, state) => all + of(state), 0)
    const days = sum((state) => daysCounted(state, now))
    return {
      servers: present.length,
      troubled: present.filter(({ standing }) => standing === 'failed' || standing === 'unstable').length,
      medianScore: Math.round(scores[Math.floor(scores.length / 2)] ?? 100),
      freeStreams: free,
      unneeded: sum(({ unneeded }) => unneeded.filter((at) => now - at <= countedMs).length),
      serverDays: Math.round(100 * days) / 100,
    }
  }

  /** The fact to tell a server, unless what it knows is near enough. */
  factFor(server: string, state: ServerState, condition: FleetCondition, now: number): IncomingFact | null {
    const known = this.#told.get(server) ?? state.fleet
    if (known !== null && !isAnother(known, condition)) return null
    this.#told.set(server, condition)
    return {
      id: derivedId(now, 'fleet-condition', server, JSON.stringify(condition)),
      type: 'FleetConditionSeen',
      data: condition,
    }
  }
}

const isGone = ({ failed }: ServerState, now: number): boolean => failed !== null && now - failed.at >= goneAfterMs

/** Days of the counted time in which the server was part of the fleet. */
const daysCounted = (state: ServerState, now: number): number => {
  const { firstSeenAt, failed } = state
  const from = Math.max(firstSeenAt ?? now, now - countedMs)
  const until = failed !== null && isGone(state, now) ? failed.at : now
  return Math.max(0, until - from) / dayMs
}

const isAnother = (known: FleetCondition, condition: FleetCondition): boolean =>
  known.troubled !== condition.troubled ||
  known.unneeded !== condition.unneeded ||
  known.servers !== condition.servers ||
  known.freeStreams > 0 !== condition.freeStreams > 0 ||
  Math.abs(known.medianScore - condition.medianScore) >= scorePoints ||
  condition.serverDays - known.serverDays >= Math.max(grownDays, known.serverDays / 4)
