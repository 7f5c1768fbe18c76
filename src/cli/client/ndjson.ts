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
    // Only the new text is split: looking through all of a long line again for every piece would take quadratic time.
    const [end = '', ...lines] = decoder.decode(bytes, { stream: true }).split('\n')
    rest += end
    if (lines.length === 0) continue
    const next = lines.pop()!
    yield [rest, ...lines].map(line => parse(line))
    rest = next
  }
  if (rest !== '') yield [parse(rest)]
}
