import { isUtf8 } from 'node:buffer'

/** A file that was asked for and could not be taken. */
export type ArtifactFault = {
  /** Its path below the working directory, as the system has it: in whatever bytes. */
  readonly path: Uint8Array
  /** For example `cannot be opened (EACCES)`. */
  readonly what: string
}

/** A pattern that fits what it should not fits thousands of them: these tell which. */
const MOST_SHOWN = 10
/** Characters of a name that are shown: enough to find the file. */
const LONGEST_SHOWN = 80

/** A sentence that names the files, in characters that can stand in a message. `faults` has one at least. */
export const describeFaults = (faults: readonly ArtifactFault[]): string => {
  const shown = faults.slice(0, MOST_SHOWN).map(({ path, what }) => `${showPath(path)} ${what}`)
  const more = faults.length - shown.length
  const count = faults.length === 1 ? 'An artifact' : `${faults.length} artifacts`
  return `${count} could not be collected: ${shown.join('; ')}${more === 0 ? '' : `; and ${more} more`}.`
}

/** In quotes. Bytes that are no UTF-8 as `\xff`, control characters as `\n` and `\u001b`, a backslash twice. */
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

/** The beginning and the end, whole characters of both. */
const shorten = (text: string): string => {
  if (text.length <= LONGEST_SHOWN) return text
  const half = LONGEST_SHOWN / 2
  return `${text.slice(0, half)}...${text.slice(-half)}`.toWellFormed()
}
