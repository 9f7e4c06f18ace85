/// <reference lib="dom" />

/**
 * Asks the control plane to hand a stream over.
 * @returns why it will not, or could not be asked; null when it has recorded the order
 */
export async function orderHandover(stream: string, ask: typeof fetch): Promise<string | null> {
  try {
    const answer = await ask(`/api/streams/${encodeURIComponent(stream)}/handover`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ by: 'dashboard' }),
    })
    if (answer.ok) return null
    const said = (await answer.json().catch(() => null)) as { readonly message?: unknown } | null
    const why = typeof said?.message === 'string' ? said.message : `status ${answer.status}`
    return `${stream} is not handed over: ${why}`
  } catch {
    return `${stream} is not handed over: the control plane does not answer`
  }
}
