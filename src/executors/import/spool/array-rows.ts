import { ImportFailure } from '../import-failure.ts'
import { peek } from './peek.ts'

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

/** More white space than any content begins with. */
const LOOK_BYTES = 4096

/**
 * NDJSON from a JSON array of rows (RFC 8259): each element becomes a line, whatever it is. All other content stays as it is. A part is valid until the next is
 * requested. Throws `ImportFailure` `content_unreadable` if the array has no end: what is left of a broken download would look like all of it.
 */
export async function* arrayRows(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { head, whole } = await peek(content, LOOK_BYTES)
  if (!beginsArray(head)) return yield* whole
  const lines = new ArrayLines()
  for await (const chunk of whole) yield lines.take(Buffer.from(chunk))
  if (lines.isOpen)
    throw new ImportFailure(
      'content_unreadable',
      'The JSON array has no end: the content is cut off, or a quote or bracket in it is never closed.',
    )
}

/** Whether content is a JSON array, by its beginning. It may have a byte order mark. */
const beginsArray = (head: Buffer): boolean => /^(?:\xef\xbb\xbf)?[ \t\r\n]*\[/.test(head.toString('latin1'))

/** Rewrites arrays in place: each byte becomes one, since between elements there is a comma, and line ends within an element are mere white space. */
class ArrayLines {
  #isInArray = false
  /** How many lists and objects of an element are open. */
  #depth = 0
  #isInText = false
  #isEscaped = false

  get isOpen(): boolean {
    return this.#isInArray
  }

  take(bytes: Buffer): Buffer {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (this.#isInText) this.#takeText(byte)
      else bytes[at] = this.#takeOther(byte)
    }
    return bytes
  }

  #takeText(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (byte === BACKSLASH) this.#isEscaped = true
    else if (byte === QUOTE) this.#isInText = false
  }

  /** The byte that takes its place. */
  #takeOther(byte: number): number {
    const isBetween = this.#depth === 0
    switch (byte) {
      case QUOTE:
        this.#isInText = true
        return byte
      case OPEN_LIST:
        if (isBetween && !this.#isInArray) {
          this.#isInArray = true
          return SPACE
        }
        this.#depth++
        return byte
      case OPEN_OBJECT:
        this.#depth++
        return byte
      case CLOSE_LIST:
        if (isBetween && this.#isInArray) {
          this.#isInArray = false
          return LF
        }
        this.#depth = Math.max(0, this.#depth - 1)
        return byte
      case CLOSE_OBJECT:
        this.#depth = Math.max(0, this.#depth - 1)
        return byte
      case COMMA:
        return isBetween && this.#isInArray ? LF : byte
      case LF:
      case CR:
        return isBetween && !this.#isInArray ? byte : SPACE
      default:
        return byte
    }
  }
}
