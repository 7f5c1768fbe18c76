import type { Findings, Interval } from './pattern-index.ts'
import { type Rest, SURE, type WrappedForms } from './wrapped-forms.ts'

/** Programs wrap base64 at 76 characters (base64(1), MIME), 64 (openssl, PEM) or 60 (Ruby): no line that is cut is shorter. */
const SHORTEST_LINE = 60
const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const BACKSLASH = 0x5c
/** What ends a line, and what stands for it in JSON. */
const BREAKS = ['\n', '\r\n', '\\n', '\\r\\n'].map(text => Buffer.from(text))
/** A break may have begun at the end of the data. */
const UNDECIDED = -1
const SPACE = 0x20
const TAB = 0x09

const IS_BASE64 = new Uint8Array(256)
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_'))
  IS_BASE64[byte] = 1

/** Any form of which fewer characters than are sure ended the line before. */
const ANY = 'any'
/** What lines may begin with, by where they begin. */
type Awaited = Map<number, (Rest | typeof ANY)[]>

/**
 * Finds what of a stream is base64 of secrets that has been broken into lines. Where a line is cut depends on all that was
 * encoded before, so the pieces are no patterns to search for. Instead lines that end with much base64 are looked at: one
 * that ends with the beginning of a form tells what the next must begin with, line after line; and the next may begin with
 * a form of which the last few characters before the break were too few to tell.
 *
 * What ends with a newline is decided there and then, so no line that has ended is held back. Up to four characters
 * (three bytes) of a form before its first break stay.
 */
export class WrappedBase64 {
  readonly #forms: () => WrappedForms
  /** Characters of base64 right before the data, in the same line; no more of them are counted than matter. */
  #run = 0
  #awaited: Awaited = new Map()

  constructor(forms: () => WrappedForms) {
    this.#forms = forms
  }

  /** Looks at what has not been given out; `isLast`: there will be no more. */
  search(data: Buffer, isLast: boolean): Findings {
    const search = new Search(this.#forms, data, isLast)
    for (const [lineStart, rests] of this.#awaited) for (const rest of rests) search.goOn(lineStart, rest)
    search.findLines(this.#run)
    this.#awaited = search.awaited
    return search
  }

  /** Tells that the first bytes of the data have been given out: the next search begins after them. */
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
  /** Where the line begins that has not ended: only from there on anything is searched once more. */
  readonly #lastLine: number

  constructor(forms: () => WrappedForms, data: Buffer, isLast: boolean) {
    this.#forms = forms
    this.#data = data
    this.#isLast = isLast
    this.#lastLine = data.lastIndexOf(NEWLINE) + 1
    this.pending = data.length
  }

  /** Jumps from byte to byte that is no base64, as far as a line that matters cannot lie between. */
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

  /** What a line may begin with. */
  goOn(lineStart: number, rest: Rest | typeof ANY): void {
    if (!this.#await(lineStart, rest)) return
    const data = this.#data
    let at = lineStart
    while (data[at] === SPACE || data[at] === TAB) at++
    if (rest !== ANY) this.#follow(lineStart, at, rest)
    else if (at + SURE <= data.length) {
      for (const known of this.#forms().restsAt(data, at)) this.#follow(lineStart, at, known)
    } else if (data.subarray(at).every(byte => IS_BASE64[byte])) this.#hold(lineStart)
  }

  /** Keeps it for the next search. False when it was known. */
  #await(lineStart: number, rest: Rest | typeof ANY): boolean {
    if (lineStart < this.#lastLine) return true
    const rests = this.awaited.get(lineStart)
    if (rests === undefined) this.awaited.set(lineStart, [rest])
    else if (rests.some(other => isSame(other, rest))) return false
    else rests.push(rest)
    return true
  }

  /** Base64 ends here, and with it a line, if there is a break. */
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

  /** As far as a form goes on from `at`: to its end, or to that of the line, and then into the next. */
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

  /** Where the line after a break begins that stands here; null when none does. The end of the stream is one, too. */
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

const isSame = (one: Rest | typeof ANY, other: Rest | typeof ANY): boolean =>
  one === ANY || other === ANY ? one === other : one.form === other.form && one.offset === other.offset
