// Streams.Read of the stand-in: a stream or the whole log, either way, once or as a subscription.
import { grpc, nameOf, requireOfClient, trailers } from './wire.mjs'

const shared = requireOfClient('../generated/shared_pb')
const { ReadResp } = requireOfClient('../generated/streams_pb')

/** How many events a filtered subscription looks at before it tells how far it has come. */
const checkpointEveryDefault = 32
const pageEvents = 256

export function serveRead(world, call) {
  const options = call.request.getOptions()
  const { log, faults } = world
  call.on('error', () => undefined)
  const fault = faults.takeForRead()
  if (fault.mode === 'denied') {
    const metadata = trailers('access-denied')
    return call.emit('error', { code: grpc.status.PERMISSION_DENIED, details: 'Access Denied', metadata })
  }
  if (fault.mode === 'busy') {
    return call.emit('error', { code: grpc.status.UNAVAILABLE, details: 'Server Is Too Busy' })
  }
  const out = new Output(call, fault)
  const work = options.hasSubscription() ? subscribe(log, options, out) : read(log, options, out)
  return void work.catch((error) => call.emit('error', error))
}

/** Writes events as fast as the reader takes them. */
class Output {
  #call
  #fault
  #sent = 0
  #goOn = () => undefined
  ended = false

  constructor(call, fault) {
    this.#call = call
    this.#fault = fault
    call.on('cancelled', () => {
      this.ended = true
      this.#goOn()
    })
  }

  async event(event) {
    if (this.#fault.mode === 'slow') await new Promise((resolve) => setTimeout(resolve, this.#fault.ms))
    if (this.#fault.mode === 'drop-reads' && this.#sent >= this.#fault.after) {
      this.ended = true
      throw { code: grpc.status.UNAVAILABLE, details: 'the stand-in broke the read off' }
    }
    this.#sent += 1
    const bytes = (event.encoded ??= encode(event))
    await this.message(bytes)
    if (this.#fault.mode === 'twice') await this.message(bytes)
  }

  message(bytes) {
    if (this.ended || this.#call.write(bytes)) return undefined
    return new Promise((resolve) => {
      this.#goOn = resolve
      this.#call.once('drain', resolve)
    })
  }

  onEnd(listener) {
    this.#call.on('cancelled', listener)
  }

  end() {
    if (!this.ended) this.#call.end()
  }
}

function encode(event) {
  const recorded = new ReadResp.ReadEvent.RecordedEvent()
    .setId(new shared.UUID().setString(event.id))
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(event.stream).toString('base64')))
    .setStreamRevision(String(event.revision))
    .setCommitPosition(String(event.position))
    .setPreparePosition(String(event.position))
    .setData(event.data.toString('base64'))
    .setCustomMetadata(event.customMetadata.toString('base64'))
  const metadata = recorded.getMetadataMap()
  metadata.set('type', event.type)
  metadata.set('content-type', event.contentType)
  metadata.set('created', event.created)
  const read = new ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(String(event.position))
  return binary(new ReadResp().setEvent(read))
}

const binary = (message) => Buffer.from(message.serializeBinary())

async function read(log, options, out) {
  const backwards = options.getReadDirection() === 1
  let left = Number(options.getCount())
  const list = options.hasStream() ? streamOf(log, options, out) : log.all
  if (list === null) return out.end()
  // What is appended while the reader reads is not part of the answer.
  const end = list.length
  const begins = options.hasStream() ? log.begins(nameOf(options.getStream().getStreamIdentifier())) : 0
  const start = options.hasStream()
    ? streamStart(options.getStream(), end, backwards)
    : allStart(list, options.getAll(), backwards)
  const from = backwards ? start : Math.max(start, begins)
  for (let at = from; at >= begins && at < end && left > 0 && !out.ended; at += backwards ? -1 : 1) {
    const sending = out.event(list[at])
    if (sending !== undefined) await sending
    left -= 1
  }
  return out.end()
}

function streamOf(log, options, out) {
  const name = nameOf(options.getStream().getStreamIdentifier())
  if (log.isDeleted(name)) {
    const metadata = trailers('stream-deleted', { 'stream-name': name })
    throw { code: grpc.status.FAILED_PRECONDITION, details: `Event stream '${name}' is deleted.`, metadata }
  }
  const list = log.stream(name)
  if (list.length > 0) return list
  const identifier = new shared.StreamIdentifier().setStreamName(Buffer.from(name).toString('base64'))
  void out.message(
    binary(new ReadResp().setStreamNotFound(new ReadResp.StreamNotFound().setStreamIdentifier(identifier))),
  )
  return null
}

function streamStart(stream, length, backwards) {
  if (stream.hasRevision())
    return backwards ? Math.min(Number(stream.getRevision()), length - 1) : Number(stream.getRevision())
  return stream.hasEnd() ? (backwards ? length - 1 : length) : backwards ? -1 : 0
}

/** Forwards a position is included, backwards it is not; as with EventStoreDB. */
function allStart(list, all, backwards) {
  if (all.hasEnd()) return backwards ? list.length - 1 : list.length
  if (all.hasStart()) return backwards ? -1 : 0
  const first = firstFrom(list, Number(all.getPosition().getCommitPosition()))
  return backwards ? first - 1 : first
}

/** Index of the first event at the position or behind it. */
function firstFrom(list, position) {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (list[middle].position < position) low = middle + 1
    else high = middle
  }
  return low
}

async function subscribe(log, options, out) {
  let at = subscriptionStart(log.all, options.getAll())
  const keeps = filterOf(options)
  const window = options.getFilter()?.getMax() || checkpointEveryDefault
  const checkpointEvery = window * (options.getFilter()?.getCheckpointintervalmultiplier() || 1)
  let wake = () => undefined
  const stop = log.onGrown(() => wake())
  out.onEnd(() => {
    stop()
    wake()
  })
  const confirmation = new ReadResp.SubscriptionConfirmation().setSubscriptionId(crypto.randomUUID())
  await out.message(binary(new ReadResp().setConfirmation(confirmation)))
  let considered = 0
  let caughtUp = false
  while (!out.ended) {
    for (const event of log.all.slice(at, at + pageEvents)) {
      if (out.ended) return
      at += 1
      considered += 1
      if (keeps(event)) await out.event(event)
      if (considered % checkpointEvery === 0) await out.message(checkpointAt(event.position))
    }
    if (at < log.all.length) continue
    if (!caughtUp) {
      caughtUp = true
      await out.message(binary(new ReadResp().setCaughtUp(new ReadResp.CaughtUp())))
    }
    await new Promise((resolve) => {
      wake = resolve
      if (at < log.all.length || out.ended) resolve()
    })
  }
}

/** A subscription begins behind the position. */
function subscriptionStart(list, all) {
  if (all.hasEnd()) return list.length
  return all.hasPosition() ? firstFrom(list, Number(all.getPosition().getCommitPosition()) + 1) : 0
}

function filterOf(options) {
  const filter = options.getFilter()
  if (filter === undefined) return () => true
  const byStream = filter.hasStreamIdentifier()
  const expression = byStream ? filter.getStreamIdentifier() : filter.getEventType()
  const regex = expression.getRegex() === '' ? null : new RegExp(expression.getRegex())
  const prefixes = expression.getPrefixList()
  return (event) => {
    const text = byStream ? event.stream : event.type
    return regex === null ? prefixes.some((prefix) => text.startsWith(prefix)) : regex.test(text)
  }
}

const checkpointAt = (position) => {
  const checkpoint = new ReadResp.Checkpoint().setCommitPosition(String(position)).setPreparePosition(String(position))
  return binary(new ReadResp().setCheckpoint(checkpoint))
}
