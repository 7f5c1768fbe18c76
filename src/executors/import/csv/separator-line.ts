/** A first line that names the delimiter, quoted or not, and is neither a row nor a header. Excel reads it, and programs that export for Excel write it. */
export type SeparatorLine = {
  readonly delimiter: string
  /** In bytes, with the line end. */
  readonly length: number
}

/** null: the content does not begin with one. */
export const separatorLine = (content: Buffer): SeparatorLine | null => {
  const [line, bare, quoted] = LINE.exec(content.subarray(0, MOST_BYTES).toString('utf8')) ?? []
  const delimiter = bare ?? quoted
  return line === undefined || delimiter === undefined ? null : { delimiter, length: Buffer.byteLength(line) }
}

const LINE = /^(?:sep=(.)|"sep=(.)")(?:\r\n|\n|\r|$)/iu

/** More than any such line has, so that `$` matches only the end of the content. */
const MOST_BYTES = 32
