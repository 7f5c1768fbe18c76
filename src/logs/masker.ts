import { once } from '../kernel/once.ts'
import { type Findings, type Interval, PatternIndex } from './pattern-index.ts'
import { MIN_SECRET_LENGTH, secretForms } from './secret-forms.ts'
import { WrappedBase64 } from './wrapped-base64.ts'
import { WrappedForms } from './wrapped-forms.ts'

const MASK = Buffer.from('***')

/** What a masker searches for. */
type Patterns = { readonly index: PatternIndex; readonly wrapped: () => WrappedForms }

/**
 * Replaces secrets in a byte stream with `***`, however the stream is split into writes. Every occurrence of every form (`secret-forms.ts`) is masked
 * completely; overlapping or adjacent ones become one `***`. So is base64 wrapped over several lines (`wrapped-base64.ts`). At the end of a write, only
 * bytes that may begin a form are held back, never a line that has ended.
 */
export class Masker {
  readonly #patterns: () => Patterns
  readonly #wrapped: WrappedBase64
  #held: Buffer = Buffer.alloc(0)
  /** Number of bytes at the start of `#held` that belong to an occurrence already found. */
  #maskedHead = 0
  /** True if the last output was a `***` that also covers a masked byte following it. */
  #inMask = false

  private constructor(patterns: () => Patterns) {
    this.#patterns = patterns
    this.#wrapped = new WrappedBase64(() => patterns().wrapped())
  }

  /** Makes one masker per stream. null if no secret is long enough to be masked. */
  static for(secrets: readonly string[]): (() => Masker) | null {
    if (!secrets.some(secret => [...secret].length >= MIN_SECRET_LENGTH)) return null
    // Every job has a token to mask, but many write nothing. The index costs more than the rest of a short job, so it is built on first use.
    const patterns = once(() => patternsOf(secrets))
    return () => new Masker(patterns)
  }

  /** Returns what can be output after these bytes. May be a view of them. */
  push(bytes: Buffer): Buffer {
    const data = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    const { occurrences, pending } = this.#search(data, false)
    return this.#release(data, occurrences, pending)
  }

  /** Returns the bytes held back. Call at the end of the stream. */
  end(): Buffer {
    if (this.#held.length === 0) return this.#held
    const { occurrences } = this.#search(this.#held, true)
    return this.#release(this.#held, occurrences, this.#held.length)
  }

  #search(data: Buffer, isLast: boolean): Findings {
    const found = this.#patterns().index.search(data)
    const wrapped = this.#wrapped.search(data, isLast)
    const pending = Math.min(found.pending, wrapped.pending)
    if (wrapped.occurrences.length === 0) return { occurrences: found.occurrences, pending }
    const occurrences = [...found.occurrences, ...wrapped.occurrences].sort((one, other) => one.start - other.start)
    return { occurrences, pending }
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
    this.#wrapped.release(data, border)
    this.#maskedHead = Math.max(0, maskedTo - border)
    this.#held = border < data.length ? Buffer.from(data.subarray(border)) : Buffer.alloc(0)
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }
}

/** Masks one complete text. */
export const maskText = (makeMasker: (() => Masker) | null, text: string): string => {
  if (makeMasker === null) return text
  const masker = makeMasker()
  return Buffer.concat([masker.push(Buffer.from(text)), masker.end()]).toString()
}

const patternsOf = (secrets: readonly string[]): Patterns => {
  const forms = secrets.map(secretForms)
  const toBuffers = (texts: readonly string[]): Buffer[] => [...new Set(texts)].map(text => Buffer.from(text))
  return {
    index: new PatternIndex(toBuffers(forms.flatMap(({ all }) => all))),
    wrapped: once(() => new WrappedForms(toBuffers(forms.flatMap(({ base64 }) => base64)))),
  }
}
