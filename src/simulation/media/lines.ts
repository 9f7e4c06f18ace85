import type { NoticeChannel, NoticeChannelHandlers } from '../../client/index.js'
import type { EdgeMessage, ViewerMessage } from '../../messaging/index.js'
import type { Network } from '../world/network.js'
import type { SimulatedProcess } from '../world/process.js'
import type { VirtualTime } from '../world/virtualTime.js'

/** The edge's end of one viewer's notice channel. */
export interface EdgeLine {
  readonly send: (message: EdgeMessage) => void
  readonly close: () => void
}

/** What an edge does with a viewer that connects: what it returns hears the viewer from then on. */
export type AcceptLine = (line: EdgeLine) => {
  readonly onMessage: (message: ViewerMessage) => void
  readonly onClose: () => void
}

export interface LineOptions {
  readonly viewer: SimulatedProcess
  readonly server: SimulatedProcess
  readonly accept: AcceptLine
  readonly handlers: NoticeChannelHandlers
  readonly network: Network
  readonly time: VirtualTime
  /** Registers a way to end the line from the server's side; called when its process dies. */
  readonly onServerEnd: (end: () => void) => () => void
}

const connectTimeoutMs = 2_000

/** A WebSocket between viewer and edge: in order, held up by a cut link, broken by the death of the server. */
export function openLine(options: LineOptions): NoticeChannel {
  const { viewer, server, network, time, handlers } = options
  const lane = network.newLane()
  const { life } = server
  const viewerLife = viewer.life
  let open = false
  let ended = false
  let edgeSide: ReturnType<AcceptLine> | null = null
  let forget: () => void = () => undefined

  const isLive = (): boolean => !ended && server.life === life && server.state !== 'down'
  const endAtViewer = (): void => {
    if (ended) return
    ended = true
    forget()
    time.stir()
    handlers.onClose()
  }
  const endAtEdge = (): void => {
    const side = edgeSide
    edgeSide = null
    if (side !== null) server.enter(life, side.onClose)
  }
  const toViewer = (arrive: () => void): void =>
    network.ordered(
      `${lane}<`,
      server.name,
      viewer.name,
      () => !ended && viewer.state !== 'down',
      () =>
        viewer.enter(viewerLife, () => {
          if (!ended) arrive()
        }),
    )

  const connected = (): void => {
    const line: EdgeLine = {
      send: (message) => {
        const text = JSON.stringify(message)
        toViewer(() => handlers.onMessage(text))
      },
      close: () => toViewer(endAtViewer),
    }
    edgeSide = options.accept(line)
    toViewer(() => {
      open = true
      handlers.onOpen()
    })
  }
  const refused = (): void => {
    network.segment(server.name, viewer.name, () => viewer.enter(viewerLife, endAtViewer))
  }
  forget = options.onServerEnd(() => {
    edgeSide = null
    network.segment(server.name, viewer.name, () => viewer.enter(viewerLife, endAtViewer))
  })
  const sent = network.segment(viewer.name, server.name, () => {
    if (server.state === 'down' || server.life !== life) return refused()
    server.enter(life, connected)
  })
  if (!sent) viewer.after(connectTimeoutMs, endAtViewer)

  return {
    send: (message) => {
      if (!open || ended || viewer.state === 'down') return
      network.ordered(`${lane}>`, viewer.name, server.name, isLive, () =>
        server.enter(life, () => edgeSide?.onMessage(message)),
      )
    },
    close: () => {
      if (ended) return
      ended = true
      forget()
      network.segment(viewer.name, server.name, endAtEdge)
    },
  }
}
