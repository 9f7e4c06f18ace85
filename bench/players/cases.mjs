// What is done to the fleet while two players play.
import { pause } from '../stage.mjs'

const hit = (how) => async (fleet) => {
  const { id } = await fleet.primary()
  await how(fleet, id)
  return `${id} hit`
}

const bytesPerS = 384 * 0.06 * 1024 * 1024

export const cases = {
  handover: {
    about: 'an operator hands the stream over',
    observeMs: 5_000,
    strike: async (fleet) => {
      const { id } = await fleet.primary()
      await fleet.handOver()
      await fleet.switchedFrom(id)
      return `${id} left`
    },
  },
  bitrate: {
    about: 'the players change the bitrate with every segment while an operator hands the stream over',
    renditions: '360p,180p',
    observeMs: 5_000,
    strike: async (fleet, watched) => {
      const { id } = await fleet.primary()
      await watched.changeBitrates(true)
      await pause(1_000)
      await fleet.handOver()
      await fleet.switchedFrom(id)
      await pause(1_500)
      return `${id} left, ${await watched.changeBitrates(false)} changes of bitrate`
    },
  },
  sounds: {
    about: 'the players play the second of two sound tracks while an operator hands the stream over',
    audioTracks: 'en,de',
    observeMs: 5_000,
    prepare: (watched) => watched.chooseSound(1),
    strike: async (fleet, watched) => {
      const { id } = await fleet.primary()
      await fleet.handOver()
      await fleet.switchedFrom(id)
      await pause(1_500)
      return `${id} left, sound played by peer and segue: ${(await watched.sounds()).join(', ')}`
    },
  },
  predicted: {
    about: 'the primary leaks memory; it is left before it dies',
    predict: true,
    observeMs: 5_000,
    strike: async (fleet) => {
      const { id } = await fleet.primary()
      const startedAtMs = performance.now()
      await fleet.inject(id, { type: 'leak', bytesPerS: Math.round(bytesPerS) })
      await fleet.switchedFrom(id)
      return `${id} left ${Math.round(performance.now() - startedAtMs)} ms after it began to leak`
    },
  },
  drain: {
    about: 'the primary is drained (POST /drain)',
    observeMs: 6_000,
    strike: async (fleet) => {
      const { id } = await fleet.primary()
      await fleet.drain(id)
      await fleet.switchedFrom(id)
      return `${id} drained`
    },
  },
  maintenance: {
    about: 'the control plane is asked to take the primary out of service',
    observeMs: 6_000,
    strike: async (fleet) => {
      const { id } = await fleet.primary()
      await fleet.maintain(id)
      await fleet.switchedFrom(id)
      return `${id} in maintenance`
    },
  },
  crash: { about: 'SIGKILL of the primary, hot standby', observeMs: 6_000, strike: hit((fleet, id) => fleet.kill(id)) },
  hang: { about: 'SIGSTOP of the primary, hot standby', observeMs: 22_000, strike: hit((fleet, id) => fleet.hang(id)) },
  blackhole: {
    about: 'all packets to and from the primary are dropped (iptables, network namespace of its own)',
    ownNetwork: true,
    observeMs: 22_000,
    strike: hit((fleet, id) => fleet.blackHole(id)),
  },
  status: {
    about: 'the primary answers 500',
    fronts: true,
    observeMs: 6_000,
    strike: hit((fleet, id) => fleet.front(id, 'status')),
  },
  half: {
    about: 'the primary breaks off in the middle of each segment',
    fronts: true,
    observeMs: 6_000,
    strike: hit((fleet, id) => fleet.front(id, 'half')),
  },
  wrong: {
    about: 'a byte of each segment of the primary is another',
    fronts: true,
    observeMs: 6_000,
    strike: hit((fleet, id) => fleet.front(id, 'wrong')),
  },
  control: {
    about: 'the control plane is killed, and back after 5 s',
    observeMs: 8_000,
    strike: async (fleet) => fleet.killControl(5_000),
  },
  'control-handover': {
    about: 'the control plane is killed in the middle of a handover, and back after 3 s',
    observeMs: 10_000,
    strike: async (fleet) => {
      await fleet.handOver()
      const waitMs = Math.round(Math.random() * 700)
      await pause(waitMs)
      fleet.killControl(3_000)
      return `killed ${waitMs} ms after the request`
    },
  },
  nats: {
    about: 'NATS is killed, and back after 20 s',
    observeMs: 24_000,
    strike: async (fleet) => fleet.suspendNats(20_000),
  },
  endurance: { about: 'a handover every 30 s for --minutes', observeMs: 0, strike: async () => undefined },
}
