import { request } from 'undici'
import { flag } from './flags.js'
import { UsageError } from './usage.js'
import { url } from './values.js'

/** The flag by which a command that speaks to a running control plane is told where it is. */
export const controlFlag = () =>
  flag('--control <url>', 'address of the control plane', { default: 'http://127.0.0.1:7000', read: url })

const timeoutMs = 10_000

/** What the control plane answers. Throws UsageError when it cannot be reached or refuses, with its reason. */
export async function askControl(
  control: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const answer = await request(`${control}${path}`, {
    method,
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  }).catch((error: unknown) => {
    const { code, message } = error as { readonly code?: string; readonly message?: string }
    throw new UsageError(`no control plane answers at ${control} (${code ?? message}): give its address with --control`)
  })
  const text = await answer.body.text()
  const parsed = parse(text)
  if (answer.statusCode >= 200 && answer.statusCode < 300) return parsed
  const { message } = (parsed ?? {}) as { readonly message?: unknown }
  throw new UsageError(typeof message === 'string' ? message : `${control} answered with status ${answer.statusCode}`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
