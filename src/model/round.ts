/** Rounds to a number of decimals; never gives -0, which JSON would turn into 0 and a comparison would not. */
export const roundTo = (value: number, decimals: number): number => {
  const factor = 10 ** decimals
  return Math.round(value * factor) / factor + 0
}
