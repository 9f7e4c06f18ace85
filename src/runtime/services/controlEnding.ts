interface Part {
  readonly close: () => Promise<void>
}

export interface ControlEnding {
  readonly control: Part
  readonly ledger: Part
  readonly retention: Part | undefined
  /** How long an archive that is being cut off is waited for; default 1 s. */
  readonly archiveMsMax?: number
}

/** An archive may take minutes, and is completed by the next run wherever this one is ended. */
const archiveMsMaxDefault = 1_000

/** Ends the parts of a control plane, so that the last checkpoint covers what its actors wrote while they closed. */
export async function endControl(ending: ControlEnding): Promise<void> {
  const { control, ledger, retention, archiveMsMax = archiveMsMaxDefault } = ending
  const archived = retention?.close()
  await control.close()
  await ledger.close()
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, archiveMsMax)))
  await Promise.race([archived, timeUp])
  clearTimeout(timer)
}
