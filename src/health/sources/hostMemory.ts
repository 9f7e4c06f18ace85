import { freemem, totalmem } from 'node:os'
import { ratioOrNull } from '../finite.js'
import { readKernelFile, type ReadKernelFile } from './kernelFile.js'

const fieldOf = (text: string, name: string): number | null => {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)
  return match === null ? null : Number(match[1])
}

/**
 * Share of the machine's memory that a new process could not have, 0..1. From MemAvailable where there is /proc, because
 * "free" leaves out the page cache that the kernel would give back.
 */
export const readHostMemoryRatio = (read: ReadKernelFile = readKernelFile): number | null => {
  const text = read('/proc/meminfo')
  const total = text === null ? null : fieldOf(text, 'MemTotal')
  const available = text === null ? null : fieldOf(text, 'MemAvailable')
  return total !== null && available !== null
    ? ratioOrNull(1 - available / total)
    : ratioOrNull(1 - freemem() / totalmem())
}
