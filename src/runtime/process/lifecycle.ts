import { errorMessage, systemErrorCode } from '../systemError.js'
import type { Logger } from './logger.js'
import { isSupervised, tellParent } from './supervision.js'

/** Whether stack traces are wanted: SEGUE_DEBUG is set. */
export const isDebugging = (env: NodeJS.ProcessEnv = process.env): boolean => (env.SEGUE_DEBUG ?? '') !== ''

/** Something that runs until it is closed, or ends by itself. */
export interface Service {
  /** For those who use it over HTTP; null when there is no address. */
  readonly url: string | null
  readonly bootId?: string
  readonly close: () => Promise<void>
  /** Resolves to the exit status when it ends by itself. */
  readonly ended?: Promise<number>
  /** How long an orderly end may take; default 5 s. */
  readonly closeMsMax?: number
}

export interface RunOptions {
  readonly logger: Logger
  readonly start: () => Promise<Service>
}

const closeMsMaxDefault = 5_000
const abandonMsMax = 2_000
const lingerMsMax = 500
const statusForced = 130
/** One Ctrl-C may come twice: from the terminal and from a program such as npm that passes it on. */
const sameSignalMs = 500

/**
 * Runs a service as the work of this process: until a signal comes, the parent is gone or it ends. The first signal
 * ends it in order, a second at once. Resolves to the exit status.
 */
export async function runService({ logger, start }: RunOptions): Promise<number> {
  const stop = untilAskedToStop(logger)
  const starting = start()
  try {
    const service = await Promise.race([starting, stop.asked.then(() => null)])
    if (service === null) {
      // Asked to end before it had begun: what has been opened is closed as soon as it is there.
      await within(closeOnceStarted(starting), abandonMsMax, logger)
      return 0
    }
    tellParent({ type: 'ready', url: service.url, bootId: service.bootId ?? null })
    const status = await Promise.race([stop.asked, ...(service.ended === undefined ? [] : [service.ended])])
    await within(service.close(), service.closeMsMax ?? closeMsMaxDefault, logger)
    return status
  } catch (error) {
    logger.error(errorMessage(error))
    if (isDebugging() && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    tellParent({ type: 'failed', code: tagOf(error), message: errorMessage(error) })
    return 1
  } finally {
    stop.release()
    if (isSupervised()) process.disconnect()
  }
}

const closeOnceStarted = (starting: Promise<Service>): Promise<void> =>
  starting.then(
    (service) => service.close(),
    () => undefined,
  )

/** The kind of an error: its tag, or the system's code; `port-in-use` for every way of saying so. */
function tagOf(error: unknown): string | null {
  const tag = typeof error === 'object' && error !== null && '_tag' in error ? String(error._tag) : null
  const cause = error instanceof Error ? error.cause : undefined
  const code = systemErrorCode(error) ?? systemErrorCode(cause)
  if (code === 'EADDRINUSE' || tag === 'AddressInUse') return 'port-in-use'
  return tag ?? code ?? null
}

export interface Stopping {
  /** Resolves to the exit status when somebody asks for the end. */
  readonly asked: Promise<number>
  readonly release: () => void
}

/** The process as far as its end is concerned. */
export interface StoppableProcess {
  readonly on: (event: string, listener: (signal: NodeJS.Signals) => void) => unknown
  readonly off: (event: string, listener: (signal: NodeJS.Signals) => void) => unknown
  readonly exit: (status: number) => void
}

const signals: ReadonlyArray<NodeJS.Signals> = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Waits for a signal or for the end of the parent; a second signal ends the process at once. */
export function untilAskedToStop(
  logger: Pick<Logger, 'info' | 'warn'>,
  self: StoppableProcess = process,
  nowMs: () => number = () => performance.now(),
): Stopping {
  let resolve: (status: number) => void = () => undefined
  const asked = new Promise<number>((done) => (resolve = done))
  let isAsked = false
  let signalledAtMs: number | null = null
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalledAtMs !== null && nowMs() - signalledAtMs < sameSignalMs) return
    if (isAsked) return self.exit(statusForced)
    isAsked = true
    signalledAtMs = nowMs()
    logger.info(`${signal}: closing; a second signal ends it at once`)
    resolve(0)
  }
  const onOrphaned = (): void => {
    if (isAsked) return
    isAsked = true
    logger.warn('the process that started this one is gone: closing')
    resolve(0)
  }
  for (const signal of signals) self.on(signal, onSignal)
  self.on('disconnect', onOrphaned)
  return {
    asked,
    release: () => {
      for (const signal of signals) self.off(signal, onSignal)
      self.off('disconnect', onOrphaned)
    },
  }
}

async function within(closing: Promise<void>, closeMsMax: number, logger: Logger): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      logger.warn(`not closed after ${closeMsMax} ms: ending all the same`)
      resolve()
    }, closeMsMax)
  })
  await Promise.race([closing, timeUp])
  clearTimeout(timer)
}

/** A connection that somebody forgot must not keep the process. Does not fire where nothing is left to wait for. */
export function exitSoon(): void {
  setTimeout(() => process.exit(), lingerMsMax).unref()
}
