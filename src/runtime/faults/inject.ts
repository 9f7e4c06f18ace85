import type { Fault } from '../../messaging/codecs.js'
import { burnCpu } from './cpu.js'
import { slowDisk } from './disk.js'
import type { InjectedFault } from './injectedFault.js'
import { leakMemory } from './leak.js'

/**
 * Makes this process fail for real: in its own memory, on its own main thread, or at its disk. For rehearsals and tests only.
 * @param dir a folder on the disk that it works on
 */
export const injectFault = (fault: Fault, dir: string): InjectedFault => {
  switch (fault.type) {
    case 'leak':
      return leakMemory(fault.bytesPerS)
    case 'cpu':
      return burnCpu(fault.rampMs)
    case 'disk':
      return slowDisk(dir, fault.rampMs)
  }
}
