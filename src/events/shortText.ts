const halfOfPair = /\p{Surrogate}/gu

/**
 * A text from outside as it is recorded: its beginning, cut between characters, well-formed. Half of a surrogate pair, which
 * no UTF-8 can carry, becomes U+FFFD.
 * @param charactersMax Unicode code points
 */
export function shortText(text: string, charactersMax: number): string {
  // A code point has two code units at most: nobody has to take a long text apart to its end.
  const points = [...text.slice(0, 2 * charactersMax)]
  return points.slice(0, charactersMax).join('').replaceAll(halfOfPair, '\uFFFD')
}
