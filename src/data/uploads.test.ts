import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BlobStore } from '../blobs/blob-store.ts'
import { openFileBlobStore } from '../blobs/file/file-blob-store.ts'
import { createUploads, type Uploads } from './uploads.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-uploads-'))
let blobs: BlobStore
let uploads: Uploads

beforeAll(async () => {
  blobs = await openFileBlobStore({ directory })
  uploads = createUploads({ blobs, key: Buffer.alloc(32, 1) })
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const put = (workspace: string) => uploads.put({ workspace, content: textOf('a,b\n1,2\n'), maxBytes: 100 })

async function* textOf(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text)
}

const read = async (workspace: string, url: string, start?: number): Promise<string | null> => {
  const opened = await uploads.open({ workspace, url, ...(start !== undefined && { start }) })
  return opened && Buffer.concat(await Array.fromAsync(opened.content as AsyncIterable<Buffer>)).toString()
}

test('uploaded content can be read again, from any offset, until it is removed', async () => {
  const { url, bytes } = await put('one')
  expect(bytes).toBe(8)
  expect([await read('one', url), await read('one', url, 4)]).toEqual(['a,b\n1,2\n', '1,2\n'])
  await uploads.remove({ workspace: 'one', url })
  expect(await read('one', url)).toBe(null)
})

test('an upload URL works only in its own workspace, and forged ones open nothing', async () => {
  const { url } = await put('one')
  const other = await blobs.put(textOf('secret'))
  const [, signature] = /\.([^.]+)$/.exec(url)!
  const forged = [`upload:${other.key}.6.${signature}`, `upload:${other.key}`, `${url}x`, url.replace('.8.', '.7.')]
  for (const address of forged) {
    expect(await read('one', address)).toBe(null)
    await uploads.remove({ workspace: 'one', url: address })
  }
  expect(await read('two', url)).toBe(null)
  expect(await read('one', url)).not.toBe(null)
  const content = await blobs.get(other.key)
  expect(content).not.toBe(null)
  content!.destroy()
})

test('nothing is left of an upload that is too large', async () => {
  const sent = uploads.put({ workspace: 'one', content: textOf('x'.repeat(11)), maxBytes: 10 })
  await expect(sent).rejects.toMatchObject({ code: 'too_large' })
})
