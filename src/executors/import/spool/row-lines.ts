import { ImportFailure } from '../import-failure.ts'

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Rewrites JSON as lines, in place: each byte becomes one, since between elements there is a comma, and line ends within a value are mere white space. Only
 * between objects without anything between them a line end is inserted.
 */
export class RowLines {
  readonly #behind: Buffer[] | null
  #isInArray = false
  #isBehind = false
  #hasRows = false
  /** An object that is no element has ended on this line. */
  #isBehindObject = false
  /** How many lists and objects of a row are open. */
  #depth = 0
  #isInText = false
  #isEscaped = false

  /** With `behind`, what follows the first array is no row, and is added there. */
  constructor(behind: Buffer[] | null = null) {
    this.#behind = behind
  }

  /** An object that is no element has begun, and nothing has ended before. */
  get isInFirstObject(): boolean {
    return !this.#hasRows && this.#depth > 0
  }

  /** The lines of the next bytes, which are overwritten. */
  take(bytes: Buffer): Buffer {
    const missing: number[] = []
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (this.#isInText) {
        this.#takeText(byte)
        continue
      }
      if (this.#isBehind) {
        this.#behind!.push(bytes.subarray(at))
        return bytes.subarray(0, at)
      }
      if (this.#isBehindObject && (byte === OPEN_OBJECT || byte === OPEN_LIST)) {
        this.#isBehindObject = false
        missing.push(at)
      }
      bytes[at] = this.#takeOther(byte)
    }
    return missing.length === 0 ? bytes : withLineEnds(bytes, missing)
  }

  /** Throws `ImportFailure` `content_unreadable` if a value has no end: what is left of a broken download would look like all of it. */
  end(): void {
    if (this.#isInArray || this.#depth > 0 || this.#isInText)
      throw new ImportFailure(
        'content_unreadable',
        'The JSON has no end: the content is cut off, or a quote or bracket in it is never closed.',
      )
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
          this.#hasRows = true
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
          this.#isBehind = this.#behind !== null
          return LF
        }
        this.#depth = Math.max(0, this.#depth - 1)
        return byte
      case CLOSE_OBJECT:
        this.#depth = Math.max(0, this.#depth - 1)
        this.#isBehindObject = this.#depth === 0 && !this.#isInArray
        this.#hasRows ||= this.#isBehindObject
        return byte
      case COMMA:
        return isBetween && this.#isInArray ? LF : byte
      case LF:
      case CR:
        if (!isBetween || this.#isInArray) return SPACE
        this.#isBehindObject &&= byte === CR
        return byte
      default:
        return byte
    }
  }
}

/** The bytes with a line end before each of these places. */
const withLineEnds = (bytes: Buffer, places: readonly number[]): Buffer => {
  const lines = Buffer.allocUnsafe(bytes.length + places.length)
  let added = 0
  for (let at = 0; at < bytes.length; at++) {
    if (at === places[added]) lines[at + added++] = LF
    lines[at + added] = bytes[at]!
  }
  return lines
}
