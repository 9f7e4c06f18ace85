/** MPEG-TS clocks: 90 kHz in 33 bits, so that they jump back every 26.5 hours (ISO/IEC 13818-1, 2.4.3.7). */
export const clockTicks = 2 ** 33

export const wrap33 = (ticks: number): number => ((ticks % clockTicks) + clockTicks) % clockTicks

/** The time nearest to `near` that a 33 bit clock would show as `clock`. */
export const unwrap33 = (clock: number, near: number): number => {
  const ahead = wrap33(clock - near)
  return near + (ahead >= clockTicks / 2 ? ahead - clockTicks : ahead)
}
