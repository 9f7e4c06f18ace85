// Chromium with both players in one page, and what the page saw.
import { createServer } from 'node:http'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { pause, until } from '../stage.mjs'

const paths = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const flags = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
  '--autoplay-policy=no-user-gesture-required',
]
const html = `<!doctype html><title>players</title><body>
<video id="peer" muted playsinline width="320"></video>
<video id="segue" muted playsinline width="320"></video>
<script type="module" src="page.js"></script>`

export async function openBrowser() {
  const executablePath = paths.find((path) => path !== undefined && existsSync(path))
  if (executablePath === undefined) throw new Error('Chromium is not installed; set CHROMIUM_PATH')
  const bundled = await build({
    entryPoints: [fileURLToPath(new URL('page.mjs', import.meta.url))],
    ...{ bundle: true, format: 'esm', target: 'es2022', write: false, logLevel: 'warning' },
  })
  const script = bundled.outputFiles[0].text
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : html)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}/`
  const browser = await chromium.launch({ executablePath, args: flags })

  return {
    pid: () => browser,
    async watch({ fleet, latencyS, steered }) {
      const page = await browser.newPage({ viewport: { width: 1000, height: 300 } })
      page.on('pageerror', (error) => console.error(`page: ${error.message}`))
      await page.goto(url)
      const { url: primaryUrl } = await fleet.primary()
      const standby = await fleet.standby()
      const settings = {
        ...{ stream: fleet.stream, latencyMs: latencyS * 1000, steered },
        servers: [primaryUrl, ...(standby ? [standby.url] : [])],
      }
      await page.evaluate((given) => window.begin(given), settings)
      const read = () => page.evaluate(() => window.read())
      return {
        page,
        read,
        reset: () => page.evaluate(() => window.reset()),
        async playing() {
          await until(async () => (await read()).steadyMs >= 2_500, 'steady picture in all players', 40_000)
          // A player that is later than asked for has a reserve that it should not have.
          await until(async () => (await read()).segue.latencyS <= latencyS + 0.08, 'latency as asked for', 40_000)
        },
        chooseSound: (index) => page.evaluate((wanted) => window.chooseSound(wanted), index),
        sounds: () => page.evaluate(() => window.sounds()),
        changeBitrates: (on) => page.evaluate((wanted) => window.changeBitrates(wanted), on),
        observe: (ms) => pause(ms),
        result: read,
        close: () => page.close(),
      }
    },
    async close() {
      await browser.close()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
