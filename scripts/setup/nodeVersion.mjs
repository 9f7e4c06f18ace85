// This file stays in the syntax of old Node versions so that it can still tell their users what is wrong.
const NODE_MIN = [20, 11]

/** What is wrong with the Node that runs this, and what to do about it; undefined if nothing is. */
function nodeFault() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return undefined
  return (
    `setup: Segue needs Node ${NODE_MIN.join('.')} or newer, but this is Node ${process.versions.node}.\n` +
    `setup: install it (for example with \`nvm install ${NODE_MIN[0]}\`), then run the same command again.`
  )
}

/** Runs `work` where Node is new enough; says what to do where it is not. */
export function onNewNode(work) {
  const fault = nodeFault()
  if (fault !== undefined) {
    console.error(fault)
    process.exitCode = 1
    return
  }
  work()
    .then(function (exitCode) {
      process.exitCode = exitCode
    })
    .catch(function (error) {
      console.error('setup: ' + (error && error.stack ? error.stack : error))
      process.exitCode = 1
    })
}
