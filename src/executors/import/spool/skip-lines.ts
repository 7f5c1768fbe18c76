const CR = 0x0d
const LF = 0x0a

/** Content after its first lines, whatever they contain. A line ends with LF, CRLF or CR. A part is valid until the next is requested. */
export async function* skipLines(content: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count
  let endedWithReturn = false
  for await (const chunk of content) {
    let at = 0
    while (at < chunk.length && (left > 0 || endedWithReturn)) {
      // The LF of CRLF may be in the next part.
      if (endedWithReturn && chunk[at] === LF) at++
      endedWithReturn = false
      if (left === 0) break
      const end = lineEnd(chunk, at)
      if (end === -1) {
        at = chunk.length
        break
      }
      endedWithReturn = chunk[end] === CR
      left--
      at = end + 1
    }
    if (at < chunk.length) yield chunk.subarray(at)
  }
}

const lineEnd = (bytes: Uint8Array, from: number): number => {
  const feed = bytes.indexOf(LF, from)
  const line = feed === -1 ? bytes.subarray(from) : bytes.subarray(from, feed)
  const carriage = line.indexOf(CR)
  return carriage === -1 ? feed : from + carriage
}
