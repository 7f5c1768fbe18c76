import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sampleBytes, sha256 } from '../../../test/blobs/content.ts'
import { createFileHasher } from './file-hasher.ts'

const bytes = sampleBytes(1_000_000)
const hasher = createFileHasher()
let directory: string
let descriptor: number
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-hasher-'))
  writeFileSync(join(directory, 'file'), bytes)
  descriptor = openSync(join(directory, 'file'), 'r')
})
afterAll(() => {
  closeSync(descriptor)
  rmSync(directory, { recursive: true, force: true })
})

test('files that are hashed piece by piece and in turns have their own hashes', async () => {
  const [whole, half] = [hasher.open(descriptor), hasher.open(descriptor)]
  await whole.add(0, 300_001)
  await half.add(0, 500_000)
  await whole.add(300_001, bytes.length)
  expect(await whole.end()).toBe(sha256(bytes))
  expect(await half.end()).toBe(sha256(bytes.subarray(0, 500_000)))
})

test('an empty file has the hash of no bytes', async () => {
  expect(await hasher.open(descriptor).end()).toBe(sha256(Buffer.alloc(0)))
})

test('a file that is shorter than given is an error, and the thread keeps running', async () => {
  const hash = hasher.open(descriptor)
  await expect(hash.add(0, bytes.length + 1)).rejects.toThrow('shorter')
  await hash.end()
  expect(await hasher.open(descriptor).end()).toBe(sha256(Buffer.alloc(0)))
})
