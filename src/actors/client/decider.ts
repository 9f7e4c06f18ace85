import type { EventIn } from '../../events/index.js'
import { Draft, type Decider } from '../decider.js'

/** What is known of one viewer's session. */
export interface ClientState {
  readonly session: string
  readonly stream: string | null
  /** Edges to which the session holds a notice channel; usually the primary's and the standby's. */
  readonly edges: ReadonlyArray<string>
  /** Highest epoch that the viewer acknowledged and when. */
  readonly acknowledged: { readonly epoch: number; readonly at: number } | null
  /** Highest epoch whose change was judged. */
  readonly judgedEpoch: number
}

const version = 1

function evolve(state: ClientState, event: EventIn<'client'>): ClientState {
  switch (event.type) {
    case 'ClientConnected':
      return { ...state, stream: event.data.stream, edges: [...without(state.edges, event.data.edge), event.data.edge] }
    case 'ClientAcknowledged': {
      if (state.acknowledged !== null && state.acknowledged.epoch >= event.data.epoch) return state
      return { ...state, acknowledged: { epoch: event.data.epoch, at: event.metadata.occurredAt } }
    }
    case 'SwitchExperienced':
      return { ...state, judgedEpoch: event.data.epoch }
    case 'ClientLeft':
      // A good-bye with totals ends the session; without them one channel of it was closed.
      return { ...state, edges: event.data.totals !== null ? [] : without(state.edges, event.data.edge) }
    default:
      return state
  }
}

const without = (edges: ReadonlyArray<string>, edge: string): ReadonlyArray<string> =>
  edges.filter((each) => each !== edge)

const correlationOf = (): string | null => null

/** Rules of a viewer's session: how it lived through each change of server. A change is judged once. */
export const clientDecider: Decider<'client', ClientState> = {
  category: 'client',
  version,
  initial: (session) => ({ session, stream: null, edges: [], acknowledged: null, judgedEpoch: 0 }),
  evolve,
  correlationOf,
  outstanding: () => [],
  decide(state, fact) {
    const draft = new Draft<'client', ClientState>({ evolve, version, correlationOf }, state, fact)
    if (fact.type === 'ClientSwitched' && fact.data.epoch > state.judgedEpoch) {
      const { gaps, duplicates, hashMismatches, stalls, epoch } = fact.data
      const damaged = gaps > 0 || duplicates > 0 || hashMismatches > 0
      draft.emit({
        type: 'SwitchExperienced',
        data: {
          epoch,
          verdict: damaged ? 'damaged' : stalls > 0 ? 'stalled' : 'seamless',
          acknowledgedInTime: (state.acknowledged?.epoch ?? -1) >= epoch,
        },
      })
    }
    return draft.events
  },
}
