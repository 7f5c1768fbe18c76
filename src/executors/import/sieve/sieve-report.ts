/** What became of the lines of a file that cannot be read. */
export type SieveReport =
  | {
      readonly type: 'sieved'
      readonly invalid: number
      /** The first of them. */
      readonly samples: readonly InvalidLine[]
    }
  /** A quote is opened in this line and closed nowhere near: where the row ends nobody can say. */
  | { readonly type: 'open'; readonly line: number }

export type InvalidLine = {
  /** From 1, as editors count. */
  readonly line: number
  /** Its beginning. */
  readonly text: string
  readonly why: string
}

export const MOST_SAMPLES = 10
const LONGEST_TEXT = 200

export const toInvalidLine = (line: number, bytes: Uint8Array, why: string): InvalidLine => ({
  line,
  text: Buffer.from(bytes.subarray(0, 4 * LONGEST_TEXT))
    .toString('utf8')
    .replace(/[\r\n]+$/, '')
    .slice(0, LONGEST_TEXT),
  why,
})

/** The longest record that is looked at as one. */
export const LONGEST_RECORD = 16 * 1024 * 1024
