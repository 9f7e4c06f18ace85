import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commandLines } from '../../src/runtime/fleet/commandLines.js'
import { fleetDefaults } from '../../src/runtime/fleet/options.js'
import { formatOf } from '../../src/cli/source.js'
import { fleetOptionsOf, type UpFlags } from '../../src/cli/commands/up.js'
import { audioTrackList, renditionList } from '../../src/cli/values.js'

const flags: UpFlags = {
  source: 'testcard',
  predict: true,
  standby: 'warm',
  latency: 1.5,
  servers: 3,
  streams: 1,
  viewers: 1,
  data: '/data',
  host: '127.0.0.1',
  memoryLimit: 384,
  threshold: 60,
  bufferSegments: 16,
  cutoverLead: 2,
  sampleInterval: 1_000,
  restartMedia: 8,
  fps: 25,
  height: 360,
}

describe('the flags of segue up', () => {
  it('ask for a leak after 15 s when no fault is named', async () => {
    expect((await fleetOptionsOf(flags, {})).faults).toEqual([{ kind: 'leak', atS: 15 }])
  })

  it('may name faults in one flag or in several', async () => {
    expect((await fleetOptionsOf({ ...flags, fault: ['hang@9', 'cpu@2,crash@5'] }, {})).faults).toEqual([
      { kind: 'cpu', atS: 2 },
      { kind: 'crash', atS: 5 },
      { kind: 'hang', atS: 9 },
    ])
  })

  it('insist on a port that was named, and on no other', async () => {
    expect(await fleetOptionsOf({ ...flags, port: 7_500 }, {})).toMatchObject({ port: 7_500, portExact: true })
    expect(await fleetOptionsOf(flags, {})).not.toHaveProperty('port')
  })

  it('take seconds, and hand on milliseconds', async () => {
    expect(await fleetOptionsOf({ ...flags, latency: 2.25, restartMedia: 0.5 }, {})).toMatchObject({
      latencyMs: 2_250,
      restartMediaAfterMs: 500,
    })
  })

  it('ask for several pictures of each stream, which the viewers take in turn', async () => {
    const renditions = renditionList('720p, 360p,audio')
    expect(renditions).toMatchObject({ heights: [720, 360], audioOnly: true })
    const plan = { ...fleetDefaults, ...(await fleetOptionsOf({ ...flags, renditions }, {})) }
    const { ingest, watch } = commandLines(plan, { natsUrl: 'nats://n', control: 1, ingest: 2, media: [] })
    expect(ingest.join(' ')).toContain('--renditions 720p, 360p,audio')
    expect(watch('main').join(' ')).toContain('--rendition video,v360')
    expect(formatOf({ fps: 25, height: 360, renditions })).toMatchObject({ height: 720, renditions: [{ id: 'v360' }] })
  })

  it('ask for sound tracks by their languages', async () => {
    const audioTracks = audioTrackList('en, de,en=Commentary')
    const plan = { ...fleetDefaults, ...(await fleetOptionsOf({ ...flags, audioTracks }, {})) }
    const { ingest } = commandLines(plan, { natsUrl: 'nats://n', control: 1, ingest: 2, media: [] })
    expect(ingest.join(' ')).toContain('--audio-tracks en, de,en=Commentary')
    expect(formatOf({ fps: 25, height: 360, audioTracks }).sounds.map(({ name }) => name)).toEqual([
      ...['English', 'Deutsch', 'Commentary'],
    ])
  })

  it.each(['', 'en,,de', '=Commentary'])('refuse "%s" as a list of sound tracks', (text) => {
    expect(() => audioTrackList(text)).toThrow(/such as en,de/)
  })

  it.each(['', 'audio', '720p,small', '360p,,audio'])('refuse "%s" as a list of pictures', (text) => {
    expect(() => renditionList(text)).toThrow(/such as 720p,360p/)
  })

  it('refuse pictures that are not in their order, and say which', async () => {
    const asked = fleetOptionsOf({ ...flags, renditions: renditionList('360p,720p') }, {})
    await expect(asked).rejects.toThrow('rendition 720p is not below 360p')
  })

  it('hand on where the keys of the ledger are and how often it is signed', async () => {
    const given = await fleetOptionsOf({ ...flags, keys: '/keys', checkpointEvery: 2.5 }, {})
    expect(given).toMatchObject({ keysDir: '/keys', checkpointEveryMs: 2_500 })
    expect(await fleetOptionsOf(flags, {})).not.toHaveProperty('keysDir')
    const plan = { ...fleetDefaults, ...given }
    const { control } = commandLines(plan, { natsUrl: 'nats://n', control: 1, ingest: 2, media: [] })
    expect(control.join(' ')).toContain('--keys /keys --checkpoint-every 2.5')
  })

  it('make a new folder for the run when none is named', async () => {
    const home = await mkdtemp(join(tmpdir(), 'segue-up-'))
    const { data: _data, ...others } = flags
    const { dataDir } = await fleetOptionsOf(others, { XDG_DATA_HOME: home })
    expect(await readdir(join(home, 'segue', 'runs'))).toEqual([dataDir.slice(dataDir.lastIndexOf('/') + 1)])
    await rm(home, { recursive: true })
  })
})
