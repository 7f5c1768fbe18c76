import type { Findings, Interval } from './pattern-index.ts'
import { type Rest, SURE, type WrappedForms } from './wrapped-forms.ts'

/** Programs wrap base64 at 76 characters (base64(1), MIME), 64 (openssl, PEM) or 60 (Ruby). No wrapped line is shorter. */
const SHORTEST_LINE = 60
const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const BACKSLASH = 0x5c
/** Line breaks, raw and escaped in JSON. */
const BREAKS = ['\n', '\r\n', '\\n', '\\r\\n'].map(text => Buffer.from(text))
/** A line break may have begun at the end of the data. */
const UNDECIDED = -1
const SPACE = 0x20
const TAB = 0x09

const IS_BASE64 = new Uint8Array(256)
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_'))
  IS_BASE64[byte] = 1

/** Any form whose first characters, fewer than `SURE`, may have ended the previous line. */
const ANY = 'any'
/** Whatever base64 a line begins with. */
const ALL = 'all'
type Awaiting = Rest | typeof ANY | typeof ALL
/** What lines may continue with, by the position where they begin. */
type Awaited = Map<number, Awaiting[]>

/** A line that may continue with more than this is of a text that repeats itself. Following them all would take minutes, so all its base64 is masked. */
const MOST_RESTS = 64
/** A line of that, if it is longer, is not wrapped: it is not held back until it ends. */
const LONGEST_LINE = 4096

/**
 * Finds base64 of secrets that is wrapped over several lines. Where a line breaks depends on everything encoded before it, so the pieces cannot be searched
 * as patterns. Instead we look at lines that end with much base64. If such a line ends with the beginning of a form, we know what the next line must begin
 * with, and so on line by line. The next line may also continue a form with so few characters before the break that they proved nothing.
 *
 * What ends with a newline is decided immediately, so that no ended line is held back. Up to four characters (three bytes) of a form before its first break
 * stay unmasked.
 */
export class WrappedBase64 {
  readonly #forms: () => WrappedForms
  /** Number of base64 characters directly before the data in the same line, capped at the number that matters. */
  #run = 0
  #awaited: Awaited = new Map()

  constructor(forms: () => WrappedForms) {
    this.#forms = forms
  }

  /** Searches the data not yet output. `isLast`: no more data will follow. */
  search(data: Buffer, isLast: boolean): Findings {
    const search = new Search(this.#forms, data, isLast)
    for (const [lineStart, rests] of this.#awaited) for (const rest of rests) search.goOn(lineStart, rest)
    search.findLines(this.#run)
    this.#awaited = search.awaited
    return search
  }

  /** Reports that the first bytes of the data have been output. The next search begins after them. */
  release(data: Buffer, border: number): void {
    let start = border
    while (start > 0 && border - start < SHORTEST_LINE && IS_BASE64[data[start - 1]!]) start--
    this.#run = Math.min(SHORTEST_LINE, border - start + (start === 0 ? this.#run : 0))
    if (this.#awaited.size === 0) return
    const later = [...this.#awaited].filter(([lineStart]) => lineStart >= border)
    this.#awaited = new Map(later.map(([lineStart, rests]) => [lineStart - border, rests]))
  }
}

class Search implements Findings {
  readonly occurrences: Interval[] = []
  readonly awaited: Awaited = new Map()
  pending: number
  readonly #forms: () => WrappedForms
  readonly #data: Buffer
  readonly #isLast: boolean
  /** Start of the unfinished last line. Only bytes from here on are searched again. */
  readonly #lastLine: number
  /** How much has been awaited, by the position where the line begins. */
  readonly #counts = new Map<number, number>()
  /** Lines of which all base64 is masked. */
  readonly #masked = new Set<number>()

  constructor(forms: () => WrappedForms, data: Buffer, isLast: boolean) {
    this.#forms = forms
    this.#data = data
    this.#isLast = isLast
    this.#lastLine = data.lastIndexOf(NEWLINE) + 1
    this.pending = data.length
  }

  /** Checks every `SHORTEST_LINE`th byte or so: a long enough run of base64 cannot lie between two checks. */
  findLines(run: number): void {
    const data = this.#data
    for (let last = SHORTEST_LINE - 1 - run; last < data.length; ) {
      const first = Math.max(0, last - SHORTEST_LINE + 1)
      let at = last
      while (at >= first && IS_BASE64[data[at]!]) at--
      if (at < first) {
        while (at >= 0 && IS_BASE64[data[at]!]) at--
        const start = at + 1
        at = Math.max(0, last + 1)
        while (at < data.length && IS_BASE64[data[at]!]) at++
        this.#endLine(start, at)
      }
      last = at + SHORTEST_LINE
    }
  }

  /** Handles what the line at `lineStart` may continue with. */
  goOn(lineStart: number, rest: Awaiting): void {
    const count = (this.#counts.get(lineStart) ?? 0) + 1
    this.#counts.set(lineStart, count)
    if (rest === ALL || count > MOST_RESTS) this.#maskRuns(lineStart)
    if (rest === ALL || count > MOST_RESTS || !this.#await(lineStart, rest)) return
    const data = this.#data
    let at = lineStart
    while (data[at] === SPACE || data[at] === TAB) at++
    if (rest !== ANY) this.#follow(lineStart, at, rest)
    else if (at + SURE <= data.length) {
      for (const known of this.#forms().restsAt(data, at)) this.#follow(lineStart, at, known)
    } else if (data.subarray(at).every(byte => IS_BASE64[byte])) this.#hold(lineStart)
  }

  /** Masks the base64 at the beginning of the line, and of the next one as long as it fills the line. */
  #maskRuns(first: number): void {
    const data = this.#data
    let lineStart = first
    while (!this.#masked.has(lineStart)) {
      this.#masked.add(lineStart)
      this.#await(lineStart, ALL)
      let at = lineStart
      while (data[at] === SPACE || data[at] === TAB) at++
      let end = at
      while (end < data.length && IS_BASE64[data[end]!]) end++
      const next = this.#afterBreak(end)
      if (next === UNDECIDED && end - at < LONGEST_LINE) this.#hold(lineStart)
      if (end === at) return
      this.occurrences.push({ start: at, end })
      if (end - at < SHORTEST_LINE || next === null || next === UNDECIDED || end === data.length) return
      lineStart = next
    }
  }

  /** Saves it for the next search. False if it was already known. */
  #await(lineStart: number, rest: Awaiting): boolean {
    if (lineStart < this.#lastLine) return true
    const rests = this.awaited.get(lineStart)
    if (rests === undefined) this.awaited.set(lineStart, [rest])
    else if (rests.some(other => isSame(other, rest))) return false
    else rests.push(rest)
    return true
  }

  /** Handles the end of a run of base64, which ends a line if a line break follows. */
  #endLine(start: number, end: number): void {
    const next = this.#afterBreak(end)
    if (next === null || (end === this.#data.length && !this.#isLast)) return
    const forms = this.#forms()
    const first = Math.max(start, end - forms.longest)
    for (let at = forms.nextStart(this.#data, first, end); at < end; at = forms.nextStart(this.#data, at + 1, end)) {
      for (const { form } of forms.startsAt(this.#data, at)) {
        const length = end - at
        if (length >= form.length || form.compare(this.#data, at, end, 0, length) !== 0) continue
        this.occurrences.push({ start: at, end })
        if (next === UNDECIDED) this.#hold(at)
        else this.goOn(next, { form, offset: length, isSure: true })
      }
    }
    if (next !== UNDECIDED) this.goOn(next, ANY)
  }

  /** Follows a form from `at` to its end or to the end of the line, and then into the next line. */
  #follow(lineStart: number, at: number, { form, offset, isSure }: Rest): void {
    const data = this.#data
    const rest = form.length - offset
    let length = 0
    while (length < rest && at + length < data.length && data[at + length] === form[offset + length]) length++
    const end = at + length
    const next = length === rest ? null : this.#afterBreak(end)
    if (next === UNDECIDED) this.#hold(lineStart)
    else if (length >= SURE || (isSure && length > 0 && (length === rest || next !== null)))
      this.occurrences.push({ start: at, end })
    if (next !== null && next !== UNDECIDED && length > 0 && end < data.length)
      this.goOn(next, { form, offset: offset + length, isSure: isSure || length >= SURE })
  }

  /**
   * Where the line after a line break at `at` begins; null if there is no break, `UNDECIDED` if that is not known yet. The end of the stream counts as a break.
   */
  #afterBreak(at: number): number | null {
    const data = this.#data
    const first = data[at]
    if (first === NEWLINE) return at + 1
    if (first !== undefined && first !== CARRIAGE_RETURN && first !== BACKSLASH) return null
    for (const lineBreak of BREAKS) {
      const length = Math.min(lineBreak.length, data.length - at)
      if (lineBreak.compare(data, at, at + length, 0, length) !== 0) continue
      if (length === lineBreak.length) return at + length
      if (!this.#isLast) return UNDECIDED
    }
    return at === data.length ? at : null
  }

  #hold(start: number): void {
    if (!this.#isLast) this.pending = Math.min(this.pending, start)
  }
}

const isSame = (one: Awaiting, other: Awaiting): boolean =>
  typeof one === 'string' || typeof other === 'string'
    ? one === other
    : one.form === other.form && one.offset === other.offset
