import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder and whatever is missing above it. Node's own `recursive: true` never returns where a folder can be
 * looked into but nothing can be made, such as below /proc.
 * @throws the system's error (EACCES, ENOENT, ENOTDIR, ENOSPC, ...)
 */
export function makeFolder(path: string): void {
  const missing: string[] = []
  for (let at = resolve(path); !exists(at) && dirname(at) !== at; at = dirname(at)) missing.push(at)
  for (const folder of missing.reverse()) make(folder)
  if (!statSync(path).isDirectory()) mkdirSync(path)
}

function make(folder: string): void {
  try {
    mkdirSync(folder)
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!exists(folder)) throw error
  }
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined
