/**
 * The values in an NDJSON stream, one list per chunk. Splits only at `\n`: `readline` would also split at U+2028, which JSON texts may contain.
 */
export async function* readNdjson<T>(
  content: AsyncIterable<Uint8Array>,
  parse: (line: string) => T = line => JSON.parse(line) as T,
): AsyncGenerator<readonly T[]> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of content) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop()!
    if (lines.length > 0) yield lines.map(parse)
  }
  if (rest !== '') yield [parse(rest)]
}
