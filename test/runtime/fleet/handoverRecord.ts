import type { HandoverRecord } from '../../../src/projections/index.js'

export const ref = (id: string) => ({ id, url: `http://127.0.0.1/${id}` })

export const requestedAt = Date.UTC(2026, 10, 22, 17, 30, 20)

/** A predicted handover from s1 to s2 that has completed. */
export const completed: HandoverRecord = {
  id: 'main-h1',
  stream: 'main',
  cause: 'prediction',
  from: ref('s1'),
  to: ref('s2'),
  requestedAt,
  outcome: 'completed',
  reason: null,
  epoch: 2,
  cutover: 5_562_017,
  switchedAt: requestedAt + 1_082,
  triggerToSwitchMs: 1_082,
  steps: [
    { name: 'started', atMs: 0, detail: 's1 -> s2 (prediction)' },
    { name: 'standby ordered', atMs: 0, detail: 's2, attempt 1' },
    { name: 'standby level', atMs: 401, detail: 'live at segment 5562014' },
    { name: 'buffer stitched', atMs: 405, detail: '16 verified, 0 copied, 0 differed, 0 unverified' },
    { name: 'cut-over chosen', atMs: 405, detail: 'K = 5562017, epoch 2' },
    { name: 'viewers told', atMs: 414, detail: '1 of 1 acknowledged at s1' },
    { name: 'viewers told', atMs: 420, detail: '1 of 1 acknowledged at s2' },
    { name: 'switched', atMs: 1_082, detail: 's2 is primary' },
    { name: 'new standby', atMs: 1_082, detail: 's3 (warm)' },
    { name: 'new standby filled', atMs: 1_164, detail: '3 verified, 13 copied' },
    { name: 'viewers measured', atMs: 1_390, detail: '1 viewer(s): 0 gaps, 0 duplicates, stall 0 ms' },
    { name: 'old primary drained', atMs: 2_604, detail: '0 requests served' },
    { name: 'completed', atMs: 2_604, detail: '' },
  ],
  stepsMs: {
    standbyActivatedMs: 401,
    bufferStitchedMs: 405,
    cutoverChosenMs: 405,
    clientsNotifiedMs: 420,
    switchedMs: 1_082,
    primaryDrainedMs: 2_604,
    bufferSynchronizedMs: 1_164,
  },
  viewers: null,
  incomplete: [],
}

/** The same, as it looked when K had just been chosen. */
export const cutting: HandoverRecord = {
  ...completed,
  outcome: 'under-way',
  switchedAt: null,
  triggerToSwitchMs: null,
  stepsMs: null,
  steps: completed.steps.slice(0, 5),
}
