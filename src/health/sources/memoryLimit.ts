import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { readKernelFile, type ReadKernelFile } from './kernelFile.js'

const mount = '/sys/fs/cgroup'

/** The group and its parents up to the root: each of them may set a limit. In a container the path may lie outside of what is mounted. */
const groupsUp = (path: string): ReadonlyArray<string> => {
  const groups: string[] = []
  for (let at = path; at !== '/' && at !== '.' && groups.length < 32; at = dirname(at)) groups.push(at)
  return [...groups, '']
}

const bytesOf = (text: string | null): number | null => {
  const value = text === null || text.trim() === 'max' ? Number.NaN : Number(text)
  return Number.isFinite(value) && value > 0 ? value : null
}

/** The memory limit that the cgroup (version 2 or 1) sets for this process, in bytes; null when there is none. */
export const readCgroupMemoryLimit = (
  read: ReadKernelFile = readKernelFile,
  hostBytes: number = totalmem(),
): number | null => {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n')
  const limits: number[] = []
  for (const line of lines) {
    const [, controllers = '', ...rest] = line.split(':')
    const path = rest.join(':')
    const version2 = line.startsWith('0::')
    if (!version2 && !controllers.split(',').includes('memory')) continue
    for (const group of groupsUp(path)) {
      const file = version2 ? join(mount, group, 'memory.max') : join(mount, 'memory', group, 'memory.limit_in_bytes')
      const limit = bytesOf(read(file))
      // Version 1 writes "no limit" as a number near 2^63.
      if (limit !== null && limit < hostBytes) limits.push(limit)
    }
  }
  return limits.length === 0 ? null : Math.min(...limits)
}

/** The smaller one of a configured limit and the cgroup's; null when there is neither. */
export const effectiveMemoryLimit = (configured: number | null, cgroup: number | null): number | null =>
  configured === null ? cgroup : cgroup === null ? configured : Math.min(configured, cgroup)
