import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startGrowing } from '../../test/growing.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import { openFileBlobStore } from '../blobs/file/file-blob-store.ts'
import { INLINE_RESULT_BYTES } from '../model/outcome.ts'
import { keepResultStream } from './keep-result.ts'

let directory: string
let blobs: BlobStore
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-keep-result-'))
  blobs = await openFileBlobStore({ directory })
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const CHUNK = 10_000
const contentOf = (bytes: number): Buffer => Buffer.from(Array.from({ length: bytes }, (_, index) => index % 251))
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')
const filesThere = (): number =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).filter(file => file.isFile()).length

/** A source in chunks that records whether it was stopped; it fails after `failAfter` bytes. */
const sourceOf = (content: Buffer, failAfter = Number.POSITIVE_INFINITY) => {
  const state = { left: false }
  const generate = async function* () {
    try {
      for (let at = 0; at < content.length; at += CHUNK) {
        if (at >= failAfter) throw new Error('the engine broke')
        yield content.subarray(at, at + CHUNK)
      }
    } finally {
      state.left = true
    }
  }
  return { state, content: generate() }
}

const NEVER = new AbortController().signal
const keep = (content: AsyncIterable<Uint8Array>, maxBytes = 10_000_000, signal = NEVER) =>
  keepResultStream({ blobs, keptMs: 1000, format: 'csv', content, maxBytes, signal })

test.each([0, 1, INLINE_RESULT_BYTES - 1, INLINE_RESULT_BYTES])('%i bytes are kept in the database', async bytes => {
  const content = contentOf(bytes)
  const result = await keep(sourceOf(content).content)
  expect(result).toEqual({ format: 'csv', bytes, sha256: sha256(content), keptMs: 1000, content: { data: content } })
  expect(filesThere()).toBe(0)
})

test.each([INLINE_RESULT_BYTES + 1, 3 * INLINE_RESULT_BYTES + 17])('%i bytes become a blob', async bytes => {
  const content = contentOf(bytes)
  const result = await keep(sourceOf(content).content)
  expect(result).toMatchObject({ bytes, sha256: sha256(content), content: { blobKey: expect.any(String) } })
  const { blobKey } = result.content as { blobKey: string }
  expect((await buffer((await blobs.get(blobKey))!)).equals(content)).toBe(true)
})

test.each([
  ['that would be small', 5000, 4999],
  ['that are read before anything is written', INLINE_RESULT_BYTES + 1, INLINE_RESULT_BYTES],
  ['of a blob', 500_000, 499_999],
])('more bytes than allowed, %s, leave nothing and stop the source', async (_, bytes, maxBytes) => {
  const source = sourceOf(contentOf(bytes))
  await expect(keep(source.content, maxBytes)).rejects.toMatchObject({ code: 'too_large' })
  expect(source.state.left).toBe(true)
  expect(filesThere()).toBe(0)
})

test('as many bytes as allowed are kept', async () => {
  expect(await keep(sourceOf(contentOf(500_000)).content, 500_000)).toMatchObject({ bytes: 500_000 })
})

test.each([0, 20_000, 200_000])('a source that breaks after %i bytes leaves nothing', async failAfter => {
  await expect(keep(sourceOf(contentOf(500_000), failAfter).content)).rejects.toThrow('the engine broke')
  expect(filesThere()).toBe(0)
})

describe('a file that is still being written', () => {
  let elsewhere: string
  beforeEach(() => {
    elsewhere = mkdtempSync(join(tmpdir(), 'millrace-growing-'))
  })
  afterEach(() => rmSync(elsewhere, { recursive: true, force: true }))

  const grow = (source: { content: AsyncIterable<Uint8Array> }) => startGrowing(join(elsewhere, 'file'), source.content)

  test.each([0, INLINE_RESULT_BYTES])('is stored in the database with %i bytes', async bytes => {
    const content = contentOf(bytes)
    const { file } = await grow(sourceOf(content))
    expect(await keep(file)).toMatchObject({ bytes, sha256: sha256(content), content: { data: content } })
    expect([filesThere(), readdirSync(elsewhere)]).toEqual([0, []])
  })

  test('is stored as a blob with more', async () => {
    const content = contentOf(INLINE_RESULT_BYTES + 1)
    const { file } = await grow(sourceOf(content))
    const result = await keep(file)
    expect(result).toMatchObject({ bytes: content.length, sha256: sha256(content) })
    const { blobKey } = result.content as { blobKey: string }
    expect((await buffer((await blobs.get(blobKey))!)).equals(content)).toBe(true)
  })

  test.each([
    ['that would be small', 5000, 4999],
    ['of a blob', 500_000, 499_999],
  ])('with more bytes than allowed, %s, leaves nothing', async (_, bytes, maxBytes) => {
    const { file, state } = await grow(sourceOf(contentOf(bytes)))
    await expect(keep(file, maxBytes)).rejects.toMatchObject({ code: 'too_large' })
    expect(state.left).toBe(true)
    expect([filesThere(), readdirSync(elsewhere)]).toEqual([0, []])
  })

  test.each([0, 20_000, 200_000])('whose writer breaks after %i bytes leaves nothing', async failAfter => {
    const { file } = await grow(sourceOf(contentOf(500_000), failAfter))
    await expect(keep(file)).rejects.toThrow('the engine broke')
    expect([filesThere(), readdirSync(elsewhere)]).toEqual([0, []])
  })
})
