// EventStoreDB's gRPC surface as far as @eventstore/db-client needs it for streams: a test double, so that the adapter and
// the client can be tried over a real wire where no server can be installed. It speaks with the client's own definitions.
import { Faults } from './faults.mjs'
import { appendBytesMax, StandInLog } from './log.mjs'
import { serveRead } from './reads.mjs'
import { grpc, nameOf, requireOfClient, trailers } from './wire.mjs'

const shared = requireOfClient('../generated/shared_pb')
const streams = requireOfClient('../generated/streams_pb')
const { StreamsService } = requireOfClient('../generated/streams_grpc_pb')
const features = requireOfClient('../generated/serverfeatures_pb')
const { ServerFeaturesService } = requireOfClient('../generated/serverfeatures_grpc_pb')
const gossip = requireOfClient('../generated/gossip_pb')
const { GossipService } = requireOfClient('../generated/gossip_grpc_pb')
const status = requireOfClient('../generated/status_pb')
const { Any } = requireOfClient('google-protobuf/google/protobuf/any_pb')
const { Empty } = requireOfClient('google-protobuf/google/protobuf/empty_pb')

/**
 * @param {{ port?: number, batchAppend?: boolean, features?: boolean, users?: Record<string, string>, journal?: string,
 *   tls?: { key: Buffer, certificate: Buffer }, leader?: { host: string, port: number } }} options
 *   `leader`: the node that it says leads the cluster; by default it does so itself
 *   `users`: names and passwords that are let in (over TLS; the client sends none without); everybody by default
 */
export async function startStandIn(options = {}) {
  const log = new StandInLog(options.journal)
  const faults = new Faults()
  const world = { log, faults, users: options.users }
  const server = new grpc.Server({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 })
  // Answers to reads are encoded once for each event, not once for each reader.
  const definition = { ...StreamsService, read: { ...StreamsService.read, responseSerialize: (bytes) => bytes } }
  server.addService(definition, {
    read: admitted(world, (call) => serveRead(world, call)),
    append: admitted(world, (call, answer) => serveAppend(world, call, answer)),
    batchAppend: admitted(world, (call) => serveBatchAppend(world, call)),
    delete: admitted(world, (call, answer) => serveRemoval(world, call, answer, streams.DeleteResp)),
    tombstone: admitted(world, (call, answer) => serveRemoval(world, call, answer, streams.TombstoneResp)),
  })
  if (options.features !== false) {
    server.addService(ServerFeaturesService, {
      getSupportedMethods: (_call, answer) => answer(null, supportedMethods(options.batchAppend !== false)),
    })
  }
  const here = { host: '127.0.0.1', port: 0 }
  server.addService(GossipService, { read: (_call, answer) => answer(null, membersOf(here, options.leader)) })
  const credentials =
    options.tls === undefined
      ? grpc.ServerCredentials.createInsecure()
      : grpc.ServerCredentials.createSsl(null, [{ private_key: options.tls.key, cert_chain: options.tls.certificate }])
  const port = await new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${options.port ?? 0}`, credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  here.port = port
  return {
    port,
    fault: (fault) => faults.set(fault),
    events: () => log.all.filter((event) => !event.type.startsWith('$')),
    close: () => {
      server.forceShutdown()
      log.close()
    },
  }
}

function supportedMethods(batchAppend) {
  const methods = new features.SupportedMethods().setEventStoreServerVersion('23.10.0')
  const names = ['append', 'read', 'delete', 'tombstone', ...(batchAppend ? ['batchappend'] : [])]
  for (const name of names) {
    const service = 'event_store.client.streams.streams'
    methods.addMethods(new features.SupportedMethod().setServiceName(service).setMethodName(name))
  }
  return methods
}

/** What a node tells of its cluster. */
function membersOf(here, leader = here) {
  const { LEADER, FOLLOWER } = gossip.MemberInfo.VNodeState
  const nodes =
    leader === here
      ? [[here, LEADER]]
      : [
          [here, FOLLOWER],
          [leader, LEADER],
        ]
  const members = nodes.map(([{ host, port }, state]) =>
    new gossip.MemberInfo()
      .setInstanceId(new shared.UUID().setString('00000000-0000-0000-0000-000000000000'))
      .setState(state)
      .setIsAlive(true)
      .setHttpEndPoint(new gossip.EndPoint().setAddress(host).setPort(port)),
  )
  return new gossip.ClusterInfo().setMembersList(members)
}

/** Lets in whom the options name. */
function admitted({ users }, serve) {
  return (call, answer) => {
    if (users === undefined) return serve(call, answer)
    const [header = ''] = call.metadata.get('authorization')
    const [name, password] = Buffer.from(String(header).replace('Basic ', ''), 'base64').toString().split(':')
    if (users[name] !== undefined && users[name] === password) return serve(call, answer)
    // A real server answers a wrong password so, and a missing one with access-denied.
    const error = { code: grpc.status.UNAUTHENTICATED, details: 'Bad HTTP status code: 401' }
    return answer === undefined ? call.emit('error', error) : answer(error)
  }
}

const proposed = (message) => ({
  id: message.getId().getString(),
  type: message.getMetadataMap().get('type'),
  contentType: message.getMetadataMap().get('content-type'),
  data: Buffer.from(message.getData_asU8()),
  customMetadata: Buffer.from(message.getCustomMetadata_asU8()),
})

function expectedOf(options, revision) {
  if (options.hasAny()) return 'any'
  if (options.hasNoStream()) return 'none'
  return options.hasStreamExists() ? 'exists' : Number(revision)
}

/** The errors with which a call ends, by fault; null when the append goes on. */
function refusalOf({ mode, leader }) {
  const { NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE, UNKNOWN } = grpc.status
  switch (mode) {
    case 'not-leader': {
      const where = { 'leader-endpoint-host': leader.host, 'leader-endpoint-port': leader.port }
      return { code: NOT_FOUND, details: 'Leader info available', metadata: trailers('not-leader', where) }
    }
    case 'no-leader':
      return { code: UNKNOWN, details: 'No leader info available in response' }
    case 'busy':
      return { code: UNAVAILABLE, details: 'Server Is Too Busy' }
    case 'denied':
      return { code: PERMISSION_DENIED, details: 'Access Denied', metadata: trailers('access-denied') }
    case 'drop-before-commit':
      return { code: UNAVAILABLE, details: 'the stand-in broke the call off' }
    default:
      return null
  }
}

const dropped = { code: grpc.status.UNAVAILABLE, details: 'the stand-in broke the call off' }

/**
 * Takes an append as the fault says. `answer` gets the outcome, `fail` an error that ends the call; neither is called
 * where the fault is silence.
 */
function take({ log, faults }, { stream, expected, events }, { answer, fail }) {
  const fault = faults.takeForAppend()
  const refusal = refusalOf(fault)
  if (refusal !== null) return fail(refusal)
  if (fault.mode === 'mute') return undefined
  if (fault.mode === 'kill-before-commit') return process.kill(process.pid, 'SIGKILL')
  const outcome = log.append(stream, expected, events)
  if (fault.mode === 'kill-after-commit') return process.kill(process.pid, 'SIGKILL')
  if (fault.mode === 'mute-after-commit') return undefined
  if (fault.mode === 'drop-after-commit') return fail(dropped)
  if (fault.mode === 'timeout') return answer({ type: 'timeout' })
  if (fault.mode === 'slow') return void setTimeout(() => answer(outcome), fault.ms)
  return answer(outcome)
}

function serveAppend(world, call, answerCall) {
  let options
  const events = []
  call.on('data', (request) => {
    if (request.hasOptions()) options = request.getOptions()
    else events.push(proposed(request.getProposedMessage()))
  })
  call.on('error', () => undefined)
  call.on('end', () => {
    const stream = nameOf(options.getStreamIdentifier())
    const expected = expectedOf(options, options.getRevision())
    take(
      world,
      { stream, expected, events },
      {
        fail: (error) => answerCall(error),
        answer: (outcome) => answerUnary(outcome, stream, expected, answerCall),
      },
    )
  })
}

function answerUnary(outcome, stream, expected, answerCall) {
  const { ABORTED, FAILED_PRECONDITION, INVALID_ARGUMENT } = grpc.status
  switch (outcome.type) {
    case 'timeout':
      return answerCall({ code: ABORTED, details: 'Operation timed out' })
    case 'deleted': {
      const metadata = trailers('stream-deleted', { 'stream-name': stream })
      return answerCall({ code: FAILED_PRECONDITION, details: `Event stream '${stream}' is deleted.`, metadata })
    }
    case 'too-large': {
      const metadata = trailers('maximum-append-size-exceeded', { 'maximum-append-size': appendBytesMax })
      return answerCall({ code: INVALID_ARGUMENT, details: 'Maximum Append Size Exceeded.', metadata })
    }
    case 'conflict': {
      const error = new streams.AppendResp.WrongExpectedVersion()
      if (outcome.actual === null) error.setCurrentNoStream(new shared.Empty())
      else error.setCurrentRevision(String(outcome.actual))
      if (typeof expected === 'number') error.setExpectedRevision(String(expected))
      else if (expected === 'none') error.setExpectedNoStream(new shared.Empty())
      else error.setExpectedStreamExists(new shared.Empty())
      return answerCall(null, new streams.AppendResp().setWrongExpectedVersion(error))
    }
    default: {
      const position = new streams.AppendResp.Position()
        .setCommitPosition(String(outcome.position))
        .setPreparePosition(String(outcome.position))
      const success = new streams.AppendResp.Success().setCurrentRevision(String(outcome.revision))
      return answerCall(null, new streams.AppendResp().setSuccess(success.setPosition(position)))
    }
  }
}

function serveBatchAppend(world, call) {
  /** @type {Map<string, { stream: string, expected: import('./log.mjs').Expected, events: object[] }>} */
  const pending = new Map()
  call.on('data', (request) => {
    const correlation = request.getCorrelationId()
    const key = JSON.stringify(correlation.toObject())
    const options = request.getOptions()
    if (options !== undefined) {
      const stream = nameOf(options.getStreamIdentifier())
      pending.set(key, { stream, expected: expectedOf(options, options.getStreamPosition()), events: [] })
    }
    const append = pending.get(key)
    if (append === undefined) return
    append.events.push(...request.getProposedMessagesList().map(proposed))
    if (!request.getIsFinal()) return
    pending.delete(key)
    take(world, append, {
      fail: (error) => call.emit('error', error),
      answer: (outcome) => void call.write(batchAnswer(outcome, append, correlation)),
    })
  })
  call.on('error', () => undefined)
  call.on('end', () => call.end())
}

function batchAnswer(outcome, { stream, expected }, correlation) {
  const identifier = new shared.StreamIdentifier().setStreamName(Buffer.from(stream).toString('base64'))
  const answer = new streams.BatchAppendResp().setCorrelationId(correlation).setStreamIdentifier(identifier)
  if (outcome.type === 'ok') {
    const position = new shared.AllStreamPosition()
      .setCommitPosition(String(outcome.position))
      .setPreparePosition(String(outcome.position))
    const success = new streams.BatchAppendResp.Success().setCurrentRevision(String(outcome.revision))
    return answer.setSuccess(success.setPosition(position))
  }
  const details = new Any()
  const pack = (message, name) => details.pack(message.serializeBinary(), `event_store.client.${name}`)
  if (outcome.type === 'timeout') pack(new shared.Timeout(), 'Timeout')
  if (outcome.type === 'deleted') pack(new shared.StreamDeleted().setStreamIdentifier(identifier), 'StreamDeleted')
  if (outcome.type === 'too-large') {
    pack(new shared.MaximumAppendSizeExceeded().setMaxappendsize(appendBytesMax), 'MaximumAppendSizeExceeded')
  }
  if (outcome.type === 'conflict') pack(batchConflict(outcome, expected), 'WrongExpectedVersion')
  return answer.setError(new status.Status().setMessage(outcome.type).setDetails(details))
}

function batchConflict({ actual }, expected) {
  const error = new shared.WrongExpectedVersion()
  if (actual === null) error.setCurrentNoStream(new Empty())
  else error.setCurrentStreamRevision(String(actual))
  if (typeof expected === 'number') return error.setExpectedStreamPosition(String(expected))
  return expected === 'none' ? error.setExpectedNoStream(new Empty()) : error.setExpectedStreamExists(new Empty())
}

function serveRemoval({ log, faults }, call, answer, Response) {
  const refusal = refusalOf(faults.takeForAppend())
  if (refusal !== null) return answer(refusal)
  const stream = nameOf(call.request.getOptions().getStreamIdentifier())
  if (log.isDeleted(stream)) {
    const metadata = trailers('stream-deleted', { 'stream-name': stream })
    return answer({ code: grpc.status.FAILED_PRECONDITION, details: `Event stream '${stream}' is deleted.`, metadata })
  }
  log.tombstone(stream)
  const position = new Response.Position().setCommitPosition(String(log.all.at(-1).position))
  return answer(null, new Response().setPosition(position.setPreparePosition(String(log.all.at(-1).position))))
}
