import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { startFleet, type Fleet } from '../../src/runtime/fleet/index.js'
import { fleetObstacle, portForFleet } from '../support/segueCommand.js'
import { describeUnless } from '../support/skip.js'
import { waitFor } from '../support/waitFor.js'

const browsers = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const browserPath = browsers.find((path) => path !== undefined && existsSync(path))
const obstacle = fleetObstacle || (browserPath === undefined && 'Chromium is not installed')

/** Headless, and without the services that a browser looks up at start. */
const browserArguments = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
  '--autoplay-policy=no-user-gesture-required',
]

describeUnless(obstacle, 'the page', () => {
  let dataDir: string
  let fleet: Fleet
  let browser: Browser
  let page: Page
  const problems: string[] = []

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'segue-page-'))
    fleet = await startFleet({ dataDir, port: Number(portForFleet()) })
    await Promise.race([fleet.playing, fleet.broken])
    browser = await chromium.launch({ executablePath: browserPath ?? '', args: browserArguments })
    page = await browser.newPage({ viewport: { width: 1280, height: 860 } })
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text())
    })
    await page.goto(fleet.controlUrl)
  }, 90_000)

  afterAll(async () => {
    await browser.close()
    await fleet.release()
    await rm(dataDir, { recursive: true, force: true })
  })

  const playedS = (): Promise<number> =>
    page.locator('video').evaluate((video) => (video as HTMLVideoElement).currentTime)

  it('plays the stream and shows the servers', async () => {
    await waitFor(async () => (await playedS()) > 2, { timeoutMs: 30_000, describe: 'the picture to move' })
    expect(await page.locator('#servers .card').count()).toBe(3)
    expect(await page.locator('#streams tr').count()).toBe(1)
  }, 40_000)

  it('hands over on demand, and the picture goes on', async () => {
    const button = page.getByRole('button', { name: 'Hand over' })
    await waitFor(() => button.isEnabled(), { timeoutMs: 20_000, describe: 'a stream with a standby' })
    await button.click()
    await page.getByText(/main-h1: s\d → s\d, operator, switched in/).waitFor({ timeout: 20_000 })
    const before = await playedS()
    await waitFor(async () => (await playedS()) > before + 2, { timeoutMs: 20_000, describe: 'the picture to go on' })
    const figures = await page.locator('#viewer').innerText()
    expect(figures).toMatch(/gaps\s+0\s+duplicates\s+0\s+wrong hashes\s+0/)
  }, 70_000)

  it('does so without an error in the browser', () => {
    expect(problems).toEqual([])
  })
})
