/** A first line that names the delimiter, in quotes or not, and is neither a row nor a header: Excel takes it, and what writes for Excel has it. */
export type SeparatorLine = {
  readonly delimiter: string
  /** Bytes, with its end. */
  readonly length: number
}

/** null: content begins without one. */
export const separatorLine = (content: Buffer): SeparatorLine | null => {
  const [line, bare, quoted] = LINE.exec(content.subarray(0, MOST_BYTES).toString('utf8')) ?? []
  const delimiter = bare ?? quoted
  return line === undefined || delimiter === undefined ? null : { delimiter, length: Buffer.byteLength(line) }
}

const LINE = /^(?:sep=(.)|"sep=(.)")(?:\r\n|\n|\r|$)/iu

/** More than it can have, so that an end is that of the content. */
const MOST_BYTES = 32
