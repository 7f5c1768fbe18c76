const CR = 0x0d
const LF = 0x0a
const SPACE = 0x20
const TAB = 0x09

/** In which the line before the last one ends, but for very long ones. */
const LOOK_BYTES = 4096

/**
 * CSV, its last line ended with a line feed where it has no end and blanks stand there: the engine's reader leaves out those behind a value up to a delimiter or the end of
 * a line, and those before the end of the content it keeps. Not where lines end with CR alone: they are mended first. A part is valid until the next is asked for.
 */
export async function* withLastLineEnd(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let tail: Buffer = Buffer.alloc(0)
  for await (const chunk of content) {
    tail = Buffer.concat([tail, chunk.subarray(-LOOK_BYTES)]).subarray(-LOOK_BYTES)
    yield chunk
  }
  if (endsWithBlank(tail) && !endsLinesWithReturns(tail)) yield Buffer.of(LF)
}

/** What values may have around them. */
const endsWithBlank = (bytes: Buffer): boolean => bytes.at(-1) === SPACE || bytes.at(-1) === TAB

const endsLinesWithReturns = (bytes: Buffer): boolean => bytes.lastIndexOf(CR) > bytes.lastIndexOf(LF)
