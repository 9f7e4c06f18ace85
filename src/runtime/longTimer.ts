/** The longest wait of a timer of Node: a longer one ends at once. */
const pieceMsMax = 2 ** 31 - 1

/** Runs `action` once after `delayMs`, however long that is; the returned function cancels it. */
export function afterMs(delayMs: number, action: () => void): () => void {
  let timer: NodeJS.Timeout
  const wait = (leftMs: number): void => {
    const pieceMs = Math.min(leftMs, pieceMsMax)
    timer = setTimeout(() => (leftMs > pieceMs ? wait(leftMs - pieceMs) : action()), pieceMs)
  }
  wait(delayMs)
  return () => clearTimeout(timer)
}
