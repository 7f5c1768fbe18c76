import { expect, test } from 'vitest'
import { readStart } from './read-start.ts'

const streamOf = (texts: readonly string[]) => {
  const seen = { parts: 0, isLeft: false }
  async function* parts(): AsyncGenerator<Uint8Array> {
    try {
      for (const text of texts) {
        seen.parts += 1
        yield Buffer.from(text)
      }
    } finally {
      seen.isLeft = true
    }
  }
  return { parts: parts(), seen }
}

test.each([
  ['all of a short one', ['ab', 'cd'], 5, 'abcd', 2],
  ['no more than asked for', ['ab', 'cdef', 'gh'], 5, 'abcde', 2],
  ['nothing after the last requested byte', ['ab', 'cd', 'ef'], 4, 'abcd', 2],
  ['nothing of an empty one', [], 5, '', 0],
] as const)('%s is read', async (_, texts, most, expected, parts) => {
  const { parts: stream, seen } = streamOf(texts)
  expect((await readStart(stream, most)).toString()).toBe(expected)
  expect(seen).toEqual({ parts, isLeft: true })
})
