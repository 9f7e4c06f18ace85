import { fileURLToPath } from 'node:url'

/** Folders with the page's files, by the path under which a browser asks for them. */
export const dashboardFolders: ReadonlyArray<{ readonly prefix: string; readonly root: string }> = [
  { prefix: '/', root: fileURLToPath(new URL('.', import.meta.url)) },
  { prefix: '/client/', root: fileURLToPath(new URL('../client/', import.meta.url)) },
]
