/** The most bytes that the length of a text can take. */
const MOST_LENGTH_BYTES = 10

/** Parses rows of a `FixedString` and a `String` column in `RowBinary`. A row is valid until the next is requested. */
export async function* readKeyedTexts(
  content: AsyncIterable<Uint8Array>,
  keyBytes: number,
): AsyncGenerator<{ readonly key: Buffer; readonly text: Buffer }> {
  let rest = Buffer.alloc(0)
  /** Bytes that the next row needs. */
  let needed = keyBytes + 1
  let parts: Uint8Array[] = []
  let size = 0
  for await (const part of content) {
    parts.push(part)
    size += part.length
    if (size < needed) continue
    rest = Buffer.concat(parts)
    let at = 0
    for (;;) {
      const row = rowAt(rest, at, keyBytes)
      needed = row.end - at
      if (row.end > rest.length) break
      yield { key: rest.subarray(at, at + keyBytes), text: rest.subarray(row.start, row.end) }
      at = row.end
    }
    rest = rest.subarray(at)
    parts = [rest]
    size = rest.length
  }
  if (size > 0) throw new Error(`rows of the engine end in the middle of one: ${size} bytes are left`)
}

/** Where the text of a row begins and ends, as far as is known if its length is incomplete. */
const rowAt = (bytes: Buffer, at: number, keyBytes: number): { start: number; end: number } => {
  let length = 0
  for (let [index, unit] = [0, 1]; index < MOST_LENGTH_BYTES; index += 1, unit *= 128) {
    const place = at + keyBytes + index
    const byte = bytes[place]
    if (byte === undefined) return { start: place + 1, end: place + 1 }
    length += (byte & 127) * unit
    if (byte < 128) return { start: place + 1, end: place + 1 + length }
  }
  throw new Error('the engine tells a length that is none')
}
