import type { Fleet } from '../fleet.js'
import { plainLines, plainStart } from './plain.js'
import { renderScreen } from './render.js'
import { Screen, type TerminalOutput } from './screen.js'
import { ansiPalette, asciiGlyphs, plainPalette, unicodeGlyphs, type Glyphs, type Palette } from './text.js'

export interface DisplayOptions {
  readonly output: TerminalOutput & { readonly isTTY?: boolean }
  readonly env: NodeJS.ProcessEnv
  readonly platform?: NodeJS.Platform
  readonly everyMs?: number
}

export interface FleetDisplay {
  /** Shows the last state once more, and gives the terminal back. */
  readonly close: () => void
}

const refreshMs = 250

/** Shows what the fleet does for as long as it runs: redrawn in place on a terminal, line by line elsewhere. */
export function showFleet(fleet: Pick<Fleet, 'view'>, options: DisplayOptions): FleetDisplay {
  const { output, env, everyMs = refreshMs } = options
  return output.isTTY === true && env.TERM !== 'dumb'
    ? drawOver(fleet, output, stylesOf(options), everyMs)
    : tellLines(fleet, output, everyMs)
}

interface Styles {
  readonly glyphs: Glyphs
  readonly palette: Palette
}

/** NO_COLOR as in https://no-color.org; characters beyond ASCII where the locale has them. */
function stylesOf({ env, platform = process.platform }: DisplayOptions): Styles {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || ''
  const isUnicode = /utf-?8/i.test(locale) || platform === 'darwin'
  return {
    glyphs: isUnicode ? unicodeGlyphs : asciiGlyphs,
    palette: env.NO_COLOR === undefined || env.NO_COLOR === '' ? ansiPalette : plainPalette,
  }
}

function drawOver(
  fleet: Pick<Fleet, 'view'>,
  output: TerminalOutput,
  { glyphs, palette }: Styles,
  everyMs: number,
): FleetDisplay {
  const screen = new Screen(output)
  const picture = (): ReadonlyArray<string> => renderScreen(fleet.view(), screen.size, glyphs, palette)
  const draw = (): void => screen.draw(picture())
  const timer = setInterval(draw, everyMs)
  // Whatever ends the process, the cursor comes back.
  const restore = (): void => screen.close()
  process.on('exit', restore)
  draw()
  return {
    close: () => {
      clearInterval(timer)
      process.off('exit', restore)
      screen.close()
      output.write(`${picture().slice(0, -1).join('\n')}\n`)
    },
  }
}

function tellLines(fleet: Pick<Fleet, 'view'>, output: TerminalOutput, everyMs: number): FleetDisplay {
  let state = plainStart(fleet.view().at)
  const tell = (): void => {
    const next = plainLines(state, fleet.view())
    state = next.state
    for (const line of next.lines) output.write(`${line}\n`)
  }
  const timer = setInterval(tell, everyMs)
  tell()
  return {
    close: () => {
      clearInterval(timer)
      tell()
    },
  }
}
