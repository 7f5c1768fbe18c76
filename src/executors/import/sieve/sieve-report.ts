import { withoutEnd } from '../../../kernel/without-end.ts'

/** What a sieve found in the lines of a file that cannot be read. */
export type SieveReport =
  | {
      readonly type: 'sieved'
      readonly invalid: number
      /** The first invalid lines. */
      readonly samples: readonly InvalidLine[]
      /** NDJSON: whether no valid line has half a surrogate pair. */
      readonly isUnicode: boolean
    }
  /** A quote is opened on this line and not closed anywhere near, so that the end of the row is unknown. */
  | { readonly type: 'open'; readonly line: number }

export type InvalidLine = {
  /** From 1, as editors count. */
  readonly line: number
  /** The beginning of the line. */
  readonly text: string
  readonly why: string
}

/** The longest record, in bytes, that is examined as one. */
export const LONGEST_RECORD = 16 * 1024 * 1024
export const TOO_LONG = 'is longer than 16 MiB'

export const MOST_SAMPLES = 10
const LONGEST_TEXT = 200

/** Counts invalid lines and keeps the first of them. */
export class InvalidLines {
  isUnicode = true
  count = 0
  readonly samples: InvalidLine[] = []

  add(line: number, bytes: Uint8Array, why: string): void {
    this.count += 1
    if (this.samples.length === MOST_SAMPLES) return
    const text = Buffer.from(bytes.subarray(0, 4 * LONGEST_TEXT)).toString('utf8')
    this.samples.push({ line, text: withoutEnd(text, '\r\n').slice(0, LONGEST_TEXT), why })
  }

  report(): SieveReport {
    return { type: 'sieved', invalid: this.count, samples: this.samples, isUnicode: this.isUnicode }
  }
}
