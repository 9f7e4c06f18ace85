import { NoResponder, type Message, type Transport } from '../../../src/messaging/index.js'

export interface Published {
  readonly subject: string
  readonly data: unknown
  readonly id: string
}

/** A transport within the test: records what is published, delivers broadcasts and requests at once. */
export interface FakeTransport extends Transport {
  readonly published: Published[]
  readonly broadcasts: Array<{ readonly subject: string; readonly data: unknown }>
}

const matches = (pattern: string, subject: string): boolean =>
  pattern.endsWith('>') ? subject.startsWith(pattern.slice(0, -1)) : pattern === subject

export const fakeTransport = (): FakeTransport => {
  const subscribers = new Map<object, { readonly subject: string; readonly onMessage: (message: Message) => void }>()
  const responders = new Map<string, (data: unknown, subject: string) => Promise<unknown>>()
  const published: Published[] = []
  const broadcasts: Array<{ readonly subject: string; readonly data: unknown }> = []
  return {
    published,
    broadcasts,
    publish: async (subject, data, { id }) => void published.push({ subject, data, id }),
    consume: async () => ({ close: async () => undefined }),
    broadcast(subject, data) {
      broadcasts.push({ subject, data })
      for (const each of subscribers.values()) {
        if (matches(each.subject, subject)) each.onMessage({ subject, data, redeliveries: 0 })
      }
    },
    subscribe(subject, onMessage) {
      const key = {}
      subscribers.set(key, { subject, onMessage })
      return { close: async () => void subscribers.delete(key) }
    },
    async request(subject, data) {
      for (const [pattern, onRequest] of responders) if (matches(pattern, subject)) return onRequest(data, subject)
      throw new NoResponder(`nobody answers ${subject}`)
    },
    respond(subject, onRequest) {
      responders.set(subject, onRequest)
      return { close: async () => void responders.delete(subject) }
    },
    state: () => 'connected',
    onState: () => undefined,
    close: async () => undefined,
  }
}
