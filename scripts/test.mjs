// Everything that must hold before a change goes in: the static checks, then the tests. All of them run, whatever fails.
//   npm test                          all
//   npm test -- test/media fence      only the tests whose path contains one of these words, and no static checks
// First it makes everything ready that the tests need, as `npm start` does.
// This file stays in the syntax of old Node versions so that it can still tell their users what is wrong.
import { dirname } from 'path'
import { fileURLToPath } from 'url'
import { onNewNode } from './setup/nodeVersion.mjs'

onNewNode(function () {
  return import('./test/run.mjs').then(function (test) {
    return test.runTests({
      root: dirname(dirname(fileURLToPath(import.meta.url))),
      patterns: process.argv.slice(2),
    })
  })
})
