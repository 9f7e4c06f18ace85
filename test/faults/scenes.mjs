// The fleets that the cells are played on.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reachableThreads } from './inflict.mjs'
import { hubAddress, openNetwork } from './network.mjs'
import { openStage } from './stage.mjs'

const servers = ['s1', 's2', 's3']
/** The broker reserves what its logs may take: 576 MiB, of three quarters of the disk. */
const diskMegabytes = 900
const clockLibraries = ['x86_64', 'aarch64'].map((cpu) => `/usr/lib/${cpu}-linux-gnu/faketime/libfaketime.so.1`)

const scenes = {
  /** Verified copies at a standby whose encoder is off; viewers 3 s behind live. */
  ordinary: { open: (options) => openStage({ places: { control: { env: reachableThreads } }, ...options }) },

  /** The standby encodes all the time; viewers 1.5 s behind live. */
  hot: { open: (options) => openStage({ standby: 'hot', latencyMs: 1_500, ...options }) },

  /** Each server and the control plane in a network namespace of its own. */
  network: {
    open: (options = {}) =>
      openStage(options, async (dataDir) => {
        const { links, places, close } = await openNetwork([...servers, 'control'], dataDir)
        return { options: { host: hubAddress, places }, links, clear: async () => close() }
      }),
  },

  /** All files of the fleet on a disk of its own, so small that it can be filled. */
  smallDisk: {
    obstacle: () =>
      process.platform !== 'linux' || process.getuid() !== 0 ? 'only root on Linux can mount a disk' : null,
    open: (options = {}) =>
      openStage(options, async (dataDir) => {
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m`, 'tmpfs', dataDir])
        return { clear: async () => void execFileSync('umount', ['--lazy', dataDir]) }
      }),
  },

  /** The wall clocks of the control plane and of the servers can be set. */
  clocks: {
    obstacle: () =>
      clockLibraries.some(existsSync) ? null : 'libfaketime is not installed (apt-get install libfaketime)',
    open: (options = {}) =>
      openStage(options, async (dataDir) => {
        const clocks = {}
        const places = {}
        for (const role of ['control', ...servers]) {
          const file = join(dataDir, `clock-${role}`)
          clocks[role] = (seconds) => writeFile(file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}s\n`)
          await clocks[role](0)
          places[role] = {
            env: {
              LD_PRELOAD: clockLibraries.find(existsSync),
              FAKETIME_TIMESTAMP_FILE: file,
              FAKETIME_CACHE_DURATION: '1',
              FAKETIME_DONT_FAKE_MONOTONIC: '1',
            },
          }
        }
        return { options: { places }, clocks }
      }),
  },
}

/** Why a scene cannot be set here; null when it can. */
export const obstacleOf = (name) => scenes[name].obstacle?.() ?? null

/** `options`: of the fleet, instead of those that the scene has. */
export const openSceneOf = (name, options) => scenes[name].open(options)
