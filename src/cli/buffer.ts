import { UsageError } from './usage.js'

/** The old primary must still hold the live segment when K comes, and the new one what came before K. */
export function checkBuffer(bufferSegments: number, cutoverLead: number): void {
  const least = cutoverLead + 2
  if (bufferSegments >= least) return
  throw new UsageError(
    `--buffer-segments ${bufferSegments} is less than the cut-over needs: with --cutover-lead ${cutoverLead} give ${least} or more`,
  )
}
