const NEWLINE = 10
/** A longer window moves faster over ordinary text, but is more often stopped by chance. */
const LONGEST_WINDOW = 64

/** A stretch of bytes: `end` is the first that is no more part of it. */
export type Interval = { readonly start: number; readonly end: number }

/** What a search of a stretch of a stream has found. */
export type Findings = {
  readonly occurrences: Interval[]
  /** Where the first begins that may go on after the end of the data; its length when none may. */
  readonly pending: number
}

/**
 * Finds many patterns at once. The search is that of Wu and Manber ("A fast algorithm for multi-pattern searching", 1994)
 * with blocks of two bytes: it looks at one byte or so in the length of the shortest pattern.
 */
export class PatternIndex {
  /** As long as the shortest pattern. */
  readonly #window: number
  /** How far the window may move when it ends with these two bytes. */
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

  /** All occurrences, in order of their start. */
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

  /** In the last bytes, too few for a window, the beginnings of patterns are looked for one by one. */
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

/** Of the patterns that begin at `start`: where the longest whole one ends, and whether one goes on beyond the data. */
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
