import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const readOnly = new Set(['GET', 'HEAD', 'OPTIONS'])
/** The one document that pages of viewers, which are served from elsewhere, read here. */
const sessionPath = /^\/api\/streams\/[^/?]+\/session(?:\?|$)/

/** Whether a browser sends this on behalf of a page that was not served here. Programs name no page. */
const isOfOtherSite = ({ headers }: FastifyRequest): boolean => {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const { origin, host } = headers
  return origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host)
}

/**
 * Keeps pages of other sites, open in the browser of somebody who can reach the control plane, from giving orders to it and
 * from reading its state. Browsers send plain POST requests of any page without asking first.
 */
export function guardAgainstOtherSites(
  app: FastifyInstance,
  problem: (reply: FastifyReply, status: number, error: string, message: string) => FastifyReply,
): void {
  app.addHook('onRequest', async (request, reply) => {
    if (sessionPath.test(request.url)) reply.header('access-control-allow-origin', '*')
    if (readOnly.has(request.method) || !isOfOtherSite(request)) return
    return problem(reply, 403, 'other-site', 'pages of other sites give no orders here')
  })
}
