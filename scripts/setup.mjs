// First step of `npm start` and `npm test`: makes everything ready that they need, and costs next to nothing when it is.
// This file stays in the syntax of old Node versions so that it can still tell their users what is wrong.
import { dirname } from 'path'
import { fileURLToPath } from 'url'

const NODE_MIN = [20, 11]
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
  console.error(
    `setup: Segue needs Node ${NODE_MIN.join('.')} or newer, but this is Node ${process.versions.node}.\n` +
      `setup: install it (for example with \`nvm install ${NODE_MIN[0]}\`), then run the same command again.`,
  )
  process.exitCode = 1
} else {
  import('./setup/run.mjs')
    .then(function (setup) {
      return setup.runSetup({
        root: dirname(dirname(fileURLToPath(import.meta.url))),
        withTests: process.argv.indexOf('--with-tests') !== -1,
        withTools: process.argv.indexOf('--no-tools') === -1,
      })
    })
    .then(function (exitCode) {
      process.exitCode = exitCode
    })
    .catch(function (error) {
      console.error('setup: ' + (error && error.stack ? error.stack : error))
      process.exitCode = 1
    })
}
