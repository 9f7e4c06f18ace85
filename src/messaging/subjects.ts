import { entityId } from '../events/catalogue/index.js'

/** @throws RangeError for what is no name: in a subject it would be another one, or several, or orders to the broker. */
const named = (name: string): string => {
  if (entityId.is(name)) return name
  throw new RangeError(`${JSON.stringify(name)} is no name of a server, stream or session`)
}

/** Subjects of architecture.md. Durable: health, stream, client, deadletter. At most once: the rest. */
export const subjects = {
  /** Durable. ServerMessage: media server -> its server actor. */
  health: (server: string) => `segue.health.${named(server)}`,
  healthAll: 'segue.health.>',
  /** Durable. StreamMessage: media servers and ingest -> stream actor. */
  stream: (stream: string) => `segue.stream.${named(stream)}`,
  streamAll: 'segue.stream.>',
  /** Durable. ClientMessage: edge -> client actor. */
  client: (session: string) => `segue.client.${named(session)}`,
  clientAll: 'segue.client.>',
  /** Durable. DeadLetter: whatever could not be understood, with the reason. */
  deadletter: 'segue.deadletter',
  /** Request. Command -> CommandReply: actors -> media server. */
  command: (server: string) => `segue.command.${named(server)}`,
  /** Broadcast. Heartbeat: media server -> control plane, several times a second. */
  heartbeat: (server: string) => `segue.heartbeat.${named(server)}`,
  heartbeatAll: 'segue.heartbeat.>',
  /** Broadcast. RouteAnswer: stream actor -> every edge; again once a second. */
  notice: (stream: string) => `segue.notice.${named(stream)}`,
  noticeAll: 'segue.notice.>',
  /** Broadcast. RollCall: control plane -> media servers and ingests; whoever knows better says so. */
  roll: 'segue.roll',
  /**
   * Broadcast. RollCallPart: the same where it does not fit into one message. A subject of its own, for who knows whole calls
   * alone would take itself for missing.
   */
  rollPart: 'segue.roll.part',
  /** Request. {} -> RouteAnswer: an edge or server that has just come (back) asks for the present route. */
  route: (stream: string) => `segue.route.${named(stream)}`,
  routeAll: 'segue.route.>',
  /** Request. {} -> {}: answered by whoever has the feed of the stream on air, of two ingests that could. */
  ingest: (stream: string) => `segue.ingest.${named(stream)}`,
} as const

/** The last token of a subject, which names the entity. */
export const entityOf = (subject: string): string => subject.slice(subject.lastIndexOf('.') + 1)

/** What brokers take for a subject of a message; another one would be read as more of the protocol. */
const subjectPattern = /^[A-Za-z0-9_$-]+(\.[A-Za-z0-9_$-]+)*$/

/** @throws RangeError for what is no subject that a message can have */
export function checkSubject(subject: string): void {
  if (!subjectPattern.test(subject)) throw new RangeError(`${JSON.stringify(subject)} is no subject of a message`)
}
