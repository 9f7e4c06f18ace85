import type { Fault } from '../../messaging/codecs.js'
import { burnCpu } from './cpu.js'
import type { InjectedFault } from './injectedFault.js'
import { leakMemory } from './leak.js'

/** Makes this process fail for real, in its own memory or on its own main thread. For rehearsals and tests only. */
export const injectFault = (fault: Fault): InjectedFault => {
  switch (fault.type) {
    case 'leak':
      return leakMemory(fault.bytesPerS)
    case 'cpu':
      return burnCpu(fault.rampMs)
  }
}
