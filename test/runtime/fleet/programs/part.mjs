// A part of a fleet as a test needs it: does what its arguments say.
const [behaviour, detail] = process.argv.slice(2)
const say = (message) => process.send(message)

switch (behaviour) {
  case 'serve':
    process.on('SIGTERM', () => process.exit(0))
    process.on('disconnect', () => process.exit(0))
    setInterval(() => undefined, 1_000)
    say({ type: 'ready', url: 'http://127.0.0.1:1', bootId: `boot-${process.pid}` })
    break
  case 'refuse':
    say({ type: 'failed', code: 'port-in-use', message: detail })
    process.disconnect()
    process.exitCode = 1
    break
  case 'falter':
    process.send({ type: 'ready', url: null, bootId: null }, () => process.exit(1))
    break
  case 'break':
    console.error(`Error: ${detail}`)
    process.exitCode = 3
    break
  case 'babble':
    process.on('SIGTERM', () => process.exit(0))
    setInterval(() => undefined, 1_000)
    say({ type: 'nonsense' })
    say({ type: 'log', level: 'warn', message: detail })
    say({ type: 'ready', url: null, bootId: null })
    break
  case 'deaf':
    process.on('SIGTERM', () => undefined)
    setInterval(() => undefined, 1_000)
    say({ type: 'ready', url: null, bootId: null })
    break
}
