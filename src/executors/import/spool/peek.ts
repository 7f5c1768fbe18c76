import { resume } from '../../../kernel/resume.ts'

/** The beginning of content, `size` bytes or more unless it is shorter, and the content including it. */
export const peek = async (content: AsyncIterable<Uint8Array>, size: number) => {
  const source = content[Symbol.asyncIterator]()
  const parts: Uint8Array[] = []
  for (let found = 0; found < size; ) {
    const { done, value } = await source.next()
    if (done === true) break
    parts.push(Buffer.from(value))
    found += value.length
  }
  return { head: Buffer.concat(parts), whole: resume(parts, source) }
}
