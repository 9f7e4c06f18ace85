import { statSync } from 'node:fs'
import { ratioOrNull } from '../finite.js'
import { readKernelFile, type ReadKernelFile } from './kernelFile.js'

/** Milliseconds that a device had requests in progress, from /proc/diskstats (field 10 of the statistics). */
export const parseDiskBusyMs = (text: string, major: number, minor: number): number | null => {
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/)
    if (Number(fields[0]) === major && Number(fields[1]) === minor) {
      const busyMs = Number(fields[12])
      return Number.isFinite(busyMs) ? busyMs : null
    }
  }
  return null
}

/** Linux packs a device number as makedev(3) does. */
export const deviceNumbers = (dev: number): { readonly major: number; readonly minor: number } => ({
  major: Number((BigInt(dev) >> 8n) & 0xfffn),
  minor: Number((BigInt(dev) & 0xffn) | ((BigInt(dev) >> 12n) & 0xfff00n)),
})

/**
 * Share of the time since the call before in which the disk under `dir` had work, 0..1. Null on other systems than
 * Linux and for file systems without a device (overlay, tmpfs).
 */
export const createDiskBusySource = (
  dir: string | null,
  read: ReadKernelFile = readKernelFile,
): ((elapsedMs: number) => number | null) => {
  const device = dir === null ? null : deviceOf(dir)
  const look = (): number | null => {
    const text = device === null ? null : read('/proc/diskstats')
    return text === null || device === null ? null : parseDiskBusyMs(text, device.major, device.minor)
  }
  let before = look()
  return (elapsedMs) => {
    const after = look()
    const earlier = before
    before = after
    return after === null || earlier === null || after < earlier || !(elapsedMs > 0)
      ? null
      : ratioOrNull((after - earlier) / elapsedMs)
  }
}

const deviceOf = (dir: string): { readonly major: number; readonly minor: number } | null => {
  try {
    return deviceNumbers(statSync(dir).dev)
  } catch {
    return null
  }
}
