const CR = 0x0d
const LF = 0x0a
const SPACE = 0x20
const TAB = 0x09

/** Long enough for the end of the line before the last, unless that is very long. */
const LOOK_BYTES = 4096

/**
 * CSV whose last line, if blanks end it, gets a line feed: the engine's reader drops blanks between a value and a delimiter or line end, but keeps them at the
 * end of the content. Not if lines end with CR alone: those are mended first. A part is valid until the next is requested.
 */
export async function* withLastLineEnd(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let tail: Buffer = Buffer.alloc(0)
  for await (const chunk of content) {
    tail = Buffer.concat([tail, chunk.subarray(-LOOK_BYTES)]).subarray(-LOOK_BYTES)
    yield chunk
  }
  if (endsWithBlank(tail) && !endsLinesWithReturns(tail)) yield Buffer.of(LF)
}

/** Blanks, which values may have around them. */
const endsWithBlank = (bytes: Buffer): boolean => bytes.at(-1) === SPACE || bytes.at(-1) === TAB

const endsLinesWithReturns = (bytes: Buffer): boolean => bytes.lastIndexOf(CR) > bytes.lastIndexOf(LF)
