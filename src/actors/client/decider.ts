import type { EventIn } from '../../events/index.js'
import { Draft, type Decider } from '../decider.js'

/** What is known of one viewer's session. */
export interface ClientState {
  readonly session: string
  readonly stream: string | null
  readonly connected: boolean
  /** Highest epoch that the viewer acknowledged and when. */
  readonly acknowledged: { readonly epoch: number; readonly at: number } | null
  /** Highest epoch whose change was judged. */
  readonly judgedEpoch: number
}

const version = 1

function evolve(state: ClientState, event: EventIn<'client'>): ClientState {
  switch (event.type) {
    case 'ClientConnected':
      return { ...state, stream: event.data.stream, connected: true }
    case 'ClientAcknowledged': {
      if (state.acknowledged !== null && state.acknowledged.epoch >= event.data.epoch) return state
      return { ...state, acknowledged: { epoch: event.data.epoch, at: event.metadata.occurredAt } }
    }
    case 'SwitchExperienced':
      return { ...state, judgedEpoch: event.data.epoch }
    case 'ClientLeft':
      return { ...state, connected: false }
    default:
      return state
  }
}

const correlationOf = (): string | null => null

/** Rules of a viewer's session: how it lived through each change of server. A change is judged once. */
export const clientDecider: Decider<'client', ClientState> = {
  category: 'client',
  version,
  initial: (session) => ({ session, stream: null, connected: false, acknowledged: null, judgedEpoch: 0 }),
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
