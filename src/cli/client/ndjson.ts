/**
 * The values of an NDJSON stream, a list per piece that arrives. Cuts at `\n` alone: `readline` would also cut at
 * U+2028, which JSON text may hold.
 */
export async function* readNdjson<T>(content: AsyncIterable<Uint8Array>): AsyncGenerator<readonly T[]> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of content) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop()!
    if (lines.length > 0) yield lines.map(line => JSON.parse(line) as T)
  }
  if (rest !== '') yield [JSON.parse(rest) as T]
}
