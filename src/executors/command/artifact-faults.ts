import { isUtf8 } from 'node:buffer'

/** A requested file that could not be collected. */
export type ArtifactFault = {
  /** Path relative to the working directory, as raw bytes. */
  readonly path: Uint8Array
  /** For example `cannot be opened (EACCES)`. */
  readonly what: string
}

/** A pattern that matches too much matches thousands of files. This many are enough to identify it. */
const MOST_SHOWN = 10
/** Maximum number of characters shown of a name: enough to find the file. */
const LONGEST_SHOWN = 80

/** Names the files in a sentence that is safe to show in a message. `faults` must not be empty. */
export const describeFaults = (faults: readonly ArtifactFault[]): string => {
  const shown = faults.slice(0, MOST_SHOWN).map(({ path, what }) => `${showPath(path)} ${what}`)
  const more = faults.length - shown.length
  const count = faults.length === 1 ? 'An artifact' : `${faults.length} artifacts`
  return `${count} could not be collected: ${shown.join('; ')}${more === 0 ? '' : `; and ${more} more`}.`
}

/** The path in quotes. Bytes that are not UTF-8 are shown as `\xff`, control characters as `\n` or `\u001b`; a backslash is doubled. */
const showPath = (path: Uint8Array): string => {
  const bytes = Buffer.from(path.buffer, path.byteOffset, path.byteLength)
  return isUtf8(bytes) ? showText(bytes.toString()) : showBytes(bytes.toString('latin1'))
}

const showText = (text: string): string =>
  JSON.stringify(shorten(text)).replace(
    /[\p{Cc}\u2028\u2029]/gu,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const showBytes = (text: string): string =>
  `"${shorten(text).replace(/[^ -~]|["\\]/g, character =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )}"`

/** Keeps the beginning and the end, without cutting characters in half. */
const shorten = (text: string): string => {
  if (text.length <= LONGEST_SHOWN) return text
  const half = LONGEST_SHOWN / 2
  return `${text.slice(0, half)}...${text.slice(-half)}`.toWellFormed()
}
