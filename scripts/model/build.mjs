#!/usr/bin/env node
// Trains the model that is shipped and writes models/prior.bin: the same bytes on every machine. `npm run model:build`.
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from '../setup/build.mjs'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
await ensureBuilt({ root, write: (text) => void process.stderr.write(text) })
const { trainPrior } = await import('../../dist/simulation/health/index.js')
const { encodeModel } = await import('../../dist/model/learners/index.js')

const bytes = encodeModel(trainPrior(undefined, (line) => console.error(line)))
mkdirSync(join(root, 'models'), { recursive: true })
writeFileSync(join(root, 'models', 'prior.bin'), bytes)
console.log(`models/prior.bin: ${bytes.length} bytes, SHA-256 ${createHash('sha256').update(bytes).digest('hex')}`)
