import * as nact from 'nact'

/** The part of nact that is used here, as it is at run time; its own types differ from that (see libraries notes in docs/adr/0003). */
interface Nact {
  readonly start: (options: { readonly name: string }) => ActorRef
  readonly spawn: (
    parent: ActorRef,
    handle: (state: unknown, message: unknown) => Promise<unknown>,
    name: string,
  ) => ActorRef
  readonly dispatch: (actor: ActorRef, message: unknown) => void
  readonly stop: (actor: ActorRef) => void
}
type ActorRef = object

const api = nact as unknown as Nact

/** nact copies a parent's whole map of children for every message it handles; buckets keep these maps small. */
const bucketsPerGroup = 64

/** One mailbox: jobs run one after the other, in the order in which they were posted. */
export interface Mailbox {
  /** Resolves or rejects as the job does. */
  readonly post: <Result>(job: () => Promise<Result>) => Promise<Result>
  /** Jobs posted and not yet finished. */
  readonly waiting: () => number
  /** Ends the mailbox. Only when nothing is waiting: nact drops what is queued. */
  readonly stop: () => void
}

export interface Mailboxes {
  /** @param onEmpty called whenever the last job that was waiting is done; then the mailbox may be stopped */
  readonly open: (group: string, name: string, onEmpty: () => void) => Mailbox
  readonly close: () => void
}

let systemsStarted = 0

/** A nact system whose actors are mailboxes, spread over buckets. */
export function createMailboxes(): Mailboxes {
  // nact finds systems by name in a table of the whole process: two of one name would share their actors.
  systemsStarted += 1
  const system = api.start({ name: `segue-${systemsStarted}` })
  const parents = new Map<string, ActorRef>()
  const idle = async (state: unknown): Promise<unknown> => Promise.resolve(state)

  const parentOf = (path: string, parent: () => ActorRef, name: string): ActorRef => {
    const known = parents.get(path)
    if (known !== undefined) return known
    const actor = api.spawn(parent(), idle, name)
    parents.set(path, actor)
    return actor
  }

  return {
    open(group, name, onEmpty) {
      const bucket = `b${bucketOf(name)}`
      const groupActor = (): ActorRef => parentOf(group, () => system, group)
      const bucketActor = parentOf(`${group}/${bucket}`, groupActor, bucket)
      const actor = api.spawn(bucketActor, runJob, `a-${name}`)
      return mailboxOf(actor, onEmpty)
    },
    close: () => api.stop(system),
  }
}

type Job = () => Promise<void>

async function runJob(state: unknown, message: unknown): Promise<unknown> {
  await (message as { readonly job: Job }).job()
  return state
}

function mailboxOf(actor: ActorRef, onEmpty: () => void): Mailbox {
  let waiting = 0
  return {
    waiting: () => waiting,
    stop: () => api.stop(actor),
    async post<Result>(work: () => Promise<Result>): Promise<Result> {
      waiting += 1
      return new Promise<Result>((resolve, reject) => {
        const job: Job = () =>
          work()
            .then(resolve, reject)
            .finally(() => {
              waiting -= 1
              if (waiting === 0) onEmpty()
            })
        api.dispatch(actor, { job })
      })
    },
  }
}

/** FNV-1a, 32 bit; only to spread names evenly. */
function bucketOf(name: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193) >>> 0
  }
  return hash % bucketsPerGroup
}
