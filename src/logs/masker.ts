import { MIN_SECRET_LENGTH, secretForms } from './secret-forms.ts'

const MASK = Buffer.from('***')
const NEWLINE = 10
/** A longer window moves faster over ordinary text, but is more often stopped by chance. */
const LONGEST_WINDOW = 64

/**
 * Replaces secrets in a stream of bytes by `***`, however the stream is cut into writes: every occurrence of every form
 * (`secret-forms.ts`) is masked whole, those that overlap or touch become one `***`. Of the end of a write it holds back
 * only bytes that may be the beginning of a form; as no form has a newline, a line that has ended is never held back.
 *
 * The search is that of Wu and Manber ("A fast algorithm for multi-pattern searching", 1994) with blocks of two bytes: it
 * looks at one byte or so in the length of the shortest secret.
 */
export class Masker {
  readonly #patterns: () => PatternIndex
  #held: Buffer = Buffer.alloc(0)
  /** Bytes at the start of `#held` that belong to an occurrence already found. */
  #maskedHead = 0
  /** True when the last thing given out is a `***` that the next masked byte belongs to. */
  #inMask = false

  private constructor(patterns: () => PatternIndex) {
    this.#patterns = patterns
  }

  /** One masker per stream; null when none of the secrets is long enough to be masked. */
  static for(secrets: readonly string[]): (() => Masker) | null {
    if (!secrets.some(secret => [...secret].length >= MIN_SECRET_LENGTH)) return null
    let patterns: PatternIndex | null = null
    // Every job has its token to mask and many write nothing: the index, which costs more than the rest of a job, waits.
    return () => new Masker(() => (patterns ??= indexOf(secrets)))
  }

  /** What can be given out after these bytes. May be a view of them. */
  push(bytes: Buffer): Buffer {
    const data = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    const found = this.#patterns().search(data)
    return this.#release(data, found.occurrences, found.pending)
  }

  /** What was held back, at the end of the stream. */
  end(): Buffer {
    if (this.#held.length === 0) return this.#held
    const { occurrences } = this.#patterns().search(this.#held)
    return this.#release(this.#held, occurrences, this.#held.length)
  }

  #release(data: Buffer, occurrences: Interval[], border: number): Buffer {
    const intervals = this.#maskedHead > 0 ? [{ start: 0, end: this.#maskedHead }, ...occurrences] : occurrences
    const pieces: Buffer[] = []
    let given = 0
    let maskedTo = this.#maskedHead
    for (const { start, end } of intervals) {
      if (start >= border) break
      if (start > given) {
        pieces.push(data.subarray(given, start))
        this.#inMask = false
      }
      if (end > given && !this.#inMask) pieces.push(MASK)
      if (end > given) this.#inMask = true
      maskedTo = Math.max(maskedTo, end)
      given = Math.max(given, Math.min(end, border))
    }
    if (border > given) {
      pieces.push(data.subarray(given, border))
      this.#inMask = false
    }
    this.#maskedHead = Math.max(0, maskedTo - border)
    this.#held = border < data.length ? Buffer.from(data.subarray(border)) : Buffer.alloc(0)
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }
}

/** One text masked at once. */
export const maskText = (makeMasker: (() => Masker) | null, text: string): string => {
  if (makeMasker === null) return text
  const masker = makeMasker()
  return Buffer.concat([masker.push(Buffer.from(text)), masker.end()]).toString()
}

const indexOf = (secrets: readonly string[]): PatternIndex => {
  const forms = new Set(secrets.flatMap(secretForms))
  return new PatternIndex([...forms].map(form => Buffer.from(form)))
}

type Interval = { readonly start: number; readonly end: number }

class PatternIndex {
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

  /** All occurrences in order of their start, and where the first begins that may go on after the end of the data. */
  search(data: Buffer): { occurrences: Interval[]; pending: number } {
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
