const NEWLINE = 10
/** A longer window skips faster over ordinary text, but has more chance matches. */
const LONGEST_WINDOW = 64

/** A range of bytes. `end` is exclusive. */
export type Interval = { readonly start: number; readonly end: number }

/** The result of searching part of a stream. */
export type Findings = {
  readonly occurrences: Interval[]
  /** Start of the first occurrence that may continue after the data, or the length of the data if there is none. */
  readonly pending: number
}

/**
 * Finds many patterns at once. Uses the algorithm of Wu and Manber ("A fast algorithm for multi-pattern searching", 1994) with two-byte blocks: it looks at
 * about one byte per length of the shortest pattern.
 */
export class PatternIndex {
  /** The length of the shortest pattern, capped at `LONGEST_WINDOW`. */
  readonly #window: number
  /** How far the window can move if it ends with these two bytes. */
  readonly #shift: Uint8Array
  /** Patterns by the last two bytes of their first window. */
  readonly #byBlock = new Map<number, Buffer[]>()
  readonly #byFirstByte = new Map<number, Buffer[]>()

  constructor(patterns: readonly Buffer[]) {
    const window = patterns.reduce((length, pattern) => Math.min(length, pattern.length), LONGEST_WINDOW)
    this.#window = window
    this.#shift = new Uint8Array(65536).fill(window - 1)
    for (const pattern of patterns) {
      for (let i = 1; i < window; i++) {
        const block = (pattern[i - 1]! << 8) | pattern[i]!
        this.#shift[block] = Math.min(this.#shift[block]!, window - 1 - i)
      }
      addTo(this.#byBlock, (pattern[window - 2]! << 8) | pattern[window - 1]!, pattern)
      addTo(this.#byFirstByte, pattern[0]!, pattern)
    }
  }

  /** All occurrences, ordered by start. */
  search(data: Buffer): Findings {
    const occurrences: Interval[] = []
    const window = this.#window
    const shifts = this.#shift
    let pending = data.length
    for (let last = window - 1; last < data.length; ) {
      const block = (data[last - 1]! << 8) | data[last]!
      const shift = shifts[block]!
      if (shift > 0) {
        last += shift
        continue
      }
      const start = last - window + 1
      const { end, unfinished } = longestAt(data, start, this.#byBlock.get(block)!)
      if (end > start) occurrences.push({ start, end })
      if (unfinished) pending = Math.min(pending, start)
      last++
    }
    return { occurrences, pending: Math.min(pending, this.#pendingInTail(data)) }
  }

  /** The last bytes are too few for a window, so check them one by one for the start of a pattern. */
  #pendingInTail(data: Buffer): number {
    const tail = Math.max(0, data.length - this.#window + 1)
    for (let start = Math.max(tail, data.lastIndexOf(NEWLINE) + 1); start < data.length; start++) {
      const patterns = this.#byFirstByte.get(data[start]!)
      if (patterns !== undefined && longestAt(data, start, patterns).unfinished) return start
    }
    return data.length
  }
}

const addTo = (map: Map<number, Buffer[]>, key: number, pattern: Buffer): void => {
  const list = map.get(key)
  if (list === undefined) map.set(key, [pattern])
  else list.push(pattern)
}

/** For the patterns that match at `start`: the end of the longest complete one, and whether one may continue beyond the data. */
const longestAt = (data: Buffer, start: number, patterns: readonly Buffer[]): { end: number; unfinished: boolean } => {
  let end = start
  let unfinished = false
  for (const pattern of patterns) {
    const length = Math.min(pattern.length, data.length - start)
    if (pattern.compare(data, start, start + length, 0, length) !== 0) continue
    if (length === pattern.length) end = Math.max(end, start + length)
    else unfinished = true
  }
  return { end, unfinished }
}
