// First step of `npm start`: makes everything ready that it needs, and costs next to nothing when it is.
// This file stays in the syntax of old Node versions so that it can still tell their users what is wrong.
import { dirname } from 'path'
import { fileURLToPath } from 'url'
import { onNewNode } from './setup/nodeVersion.mjs'

onNewNode(function () {
  return import('./setup/run.mjs').then(function (setup) {
    return setup.runSetup({
      root: dirname(dirname(fileURLToPath(import.meta.url))),
      withTests: process.argv.indexOf('--with-tests') !== -1,
      withTools: process.argv.indexOf('--no-tools') === -1,
    })
  })
})
