/** Flags say everything: what a person has set for `segue up` is not meant for its parts. */
export function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isMeant = (name: string): boolean =>
    name === 'SEGUE_DEBUG' || !(name.startsWith('SEGUE_') || name === 'NATS_URL')
  const kept = Object.entries(env).filter(([name]) => isMeant(name))
  // All parts run the build that is there now, whatever happens to src/ of a checkout meanwhile.
  return { ...Object.fromEntries(kept), SEGUE_BUILD_CHECKED: '1' }
}

/** Also when it has just gone by itself. */
export function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}
