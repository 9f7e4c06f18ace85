/** Subjects of architecture.md. Durable: health, stream, client, deadletter. At most once: the rest. */
export const subjects = {
  /** Durable. ServerMessage: media server -> its server actor. */
  health: (server: string) => `segue.health.${server}`,
  healthAll: 'segue.health.>',
  /** Durable. StreamMessage: media servers and ingest -> stream actor. */
  stream: (stream: string) => `segue.stream.${stream}`,
  streamAll: 'segue.stream.>',
  /** Durable. ClientMessage: edge -> client actor. */
  client: (session: string) => `segue.client.${session}`,
  clientAll: 'segue.client.>',
  /** Durable. DeadLetter: whatever could not be understood, with the reason. */
  deadletter: 'segue.deadletter',
  /** Request. Command -> CommandReply: actors -> media server. */
  command: (server: string) => `segue.command.${server}`,
  /** Broadcast. Heartbeat: media server -> control plane, several times a second. */
  heartbeat: (server: string) => `segue.heartbeat.${server}`,
  heartbeatAll: 'segue.heartbeat.>',
  /** Broadcast. RouteAnswer: stream actor -> every edge; again once a second. */
  notice: (stream: string) => `segue.notice.${stream}`,
  noticeAll: 'segue.notice.>',
  /** Broadcast. RollCall: control plane -> media servers and ingests; whoever knows better says so. */
  roll: 'segue.roll',
  /**
   * Broadcast. RollCallPart: the same where it does not fit into one message. A subject of its own, for who knows whole calls
   * alone would take itself for missing.
   */
  rollPart: 'segue.roll.part',
  /** Request. {} -> RouteAnswer: an edge or server that has just come (back) asks for the present route. */
  route: (stream: string) => `segue.route.${stream}`,
  routeAll: 'segue.route.>',
  /** Request. {} -> {}: answered by whoever has the feed of the stream on air, of two ingests that could. */
  ingest: (stream: string) => `segue.ingest.${stream}`,
} as const

/** The last token of a subject, which names the entity. */
export const entityOf = (subject: string): string => subject.slice(subject.lastIndexOf('.') + 1)
