/** How a process tells what it does. One line each; nothing secret in them. */
export interface Logger {
  readonly info: (message: string) => void
  readonly warn: (message: string) => void
  readonly error: (message: string) => void
}

export type LogLevel = keyof Logger

export interface LoggerOptions {
  /** Who speaks, such as `media s1`. */
  readonly part: string
  readonly write: (line: string) => void
  readonly now?: () => number
  /** Gets every line in parts, besides. */
  readonly onLine?: (level: LogLevel, message: string) => void
}

/** Plain lines with time (UTC), level and part. Line breaks inside of a message are folded into one line. */
export function lineLogger({ part, write, now = Date.now, onLine }: LoggerOptions): Logger {
  const log = (level: LogLevel) => (message: string) => {
    const text = message.trim().replaceAll(/\s*\n\s*/g, ' | ')
    write(`${new Date(now()).toISOString()} ${level.padEnd(5)} ${part}  ${text}\n`)
    onLine?.(level, text)
  }
  return { info: log('info'), warn: log('warn'), error: log('error') }
}

/** For parts that log fields beside the message: they follow it as `name=value`. */
export interface FieldLogger {
  readonly debug: (fields: object, message: string) => void
  readonly info: (fields: object, message: string) => void
  readonly warn: (fields: object, message: string) => void
}

/** Writes fields behind the message. Debug lines are left out. */
export function withFields(logger: Logger): FieldLogger {
  const text = (fields: object, message: string): string => [message, ...Object.entries(fields).map(pair)].join(' ')
  return {
    debug: () => undefined,
    info: (fields, message) => logger.info(text(fields, message)),
    warn: (fields, message) => logger.warn(text(fields, message)),
  }
}

function pair([name, value]: readonly [string, unknown]): string {
  if (value instanceof Error) return `${name}=${value.message}`
  return `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`
}
