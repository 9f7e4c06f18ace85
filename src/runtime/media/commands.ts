import * as E from 'fp-ts/lib/Either.js'
import { describeErrors } from '../../events/index.js'
import type { Station } from '../../media/station/index.js'
import {
  Command,
  subjects,
  type CommandReply,
  type Fault,
  type Transport,
  type Unsubscribe,
} from '../../messaging/index.js'
import type { DeadLetters } from './deadLetters.js'

export interface CommandsOptions {
  readonly transport: Transport
  readonly server: string
  readonly bootId: string
  readonly station: Station
  readonly onFault: ((fault: Fault) => void) | undefined
  readonly deadLetter: DeadLetters
  /** The control plane takes another boot for the present one. */
  readonly onOtherBoot: () => void
}

/** Answers what the control plane orders. */
export function answerCommands(options: CommandsOptions): Unsubscribe {
  const { transport, server, bootId, station, onFault, deadLetter, onOtherBoot } = options
  const subject = subjects.command(server)
  const obey = (data: unknown): CommandReply => {
    const command = Command.decode(data)
    if (E.isLeft(command)) {
      const reason = describeErrors(command.left)
      deadLetter(subject, reason, data)
      return { type: 'refused', reason }
    }
    if (command.right.type === 'assign') {
      if (command.right.assignment.bootId !== bootId) onOtherBoot()
      return station.apply(command.right.assignment)
    }
    if (onFault === undefined) return { type: 'refused', reason: 'fault injection is not allowed at this server' }
    onFault(command.right.fault)
    return { type: 'done' }
  }
  return transport.respond(subject, async (data) => obey(data))
}
