/** The actor has as many messages waiting as it may; deliver this one again later. */
export class InboxFull extends Error {
  readonly _tag = 'InboxFull'
  constructor(
    readonly actor: string,
    readonly inboxMax: number,
  ) {
    super(`actor ${actor} has ${inboxMax} messages waiting; deliver this one again later`)
  }
}

/** The message can never be accepted: it names no fact of the catalogue or its data do not fit. */
export class MessageRejected extends Error {
  readonly _tag = 'MessageRejected'
}

/** The host is closing; the message was not handled. */
export class HostClosed extends Error {
  readonly _tag = 'HostClosed'
  constructor() {
    super('the actor host is closing; the message was not handled')
  }
}

/** A stored event does not fit its definition, so the actor cannot be rebuilt from its log. */
export class HistoryUnreadable extends Error {
  readonly _tag = 'HistoryUnreadable'
  constructor(
    readonly streamId: string,
    readonly revision: number,
    cause: Error,
  ) {
    super(`${streamId}, event ${revision}: ${cause.message}`, { cause })
  }
}

/**
 * The log does not hold any more what was read from it or confirmed by it: it was restored from a copy, or emptied, while
 * this process was at work. Nothing that the process knows can be relied upon; a new one begins with what the log holds.
 */
export class EventsLost extends Error {
  readonly _tag = 'EventsLost'
  constructor(
    readonly streamId: string,
    /** The newest event that was known. */
    readonly known: number,
    /** Where the stream ends; -1 when it is empty, null when it goes on with another event. */
    readonly actual: number | null,
  ) {
    const found =
      actual === null ? `holds another event ${known}` : actual === -1 ? 'is empty' : `ends at event ${actual}`
    super(`${streamId} ${found}, and event ${known} was known: the log has lost events`)
  }
}
