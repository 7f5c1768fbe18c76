import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { inChunks, sampleBytes } from '../../test/blobs/content.ts'
import { startGrowing } from '../../test/growing.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-growing-'))
  path = join(directory, 'file')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function* thenFail(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes
  throw new Error('the writer broke')
}

async function* endless(): AsyncIterable<Uint8Array> {
  for (;;) {
    yield sampleBytes(10_000)
    await setImmediate()
  }
}

test.each([0, 1, 3_500_000])('%i bytes are read while they are written, then the file is gone', async size => {
  const bytes = sampleBytes(size)
  const { file } = await startGrowing(path, inChunks(bytes, 60_000))
  const read = Buffer.concat(await Array.fromAsync(file))
  expect(read.equals(bytes)).toBe(true)
  expect(existsSync(path)).toBe(false)
})

test('growBeyond returns when the file is larger, or complete', async () => {
  const { file } = await startGrowing(path, [sampleBytes(100)])
  const growth = await file.growBeyond(99)
  expect(growth.size).toBe(100)
  expect(await file.growBeyond(100)).toEqual({ size: 100, isWhole: true })
  await file.remove()
})

test('the error of the writer is passed on, and the file is removed', async () => {
  const { file } = await startGrowing(path, thenFail(sampleBytes(1000)))
  await expect(Array.fromAsync(file)).rejects.toThrow('the writer broke')
  expect(existsSync(path)).toBe(false)
})

test('a reader that stops early stops the writer, and the file is removed', async () => {
  const { file, state, written } = await startGrowing(path, endless())
  for await (const part of file) if (part.length > 0) break
  expect(state.left).toBe(true)
  await written
  expect(readdirSync(directory)).toEqual([])
})

test('a file can be moved while it grows, and is removed from its new place', async () => {
  const { file } = await startGrowing(path, endless())
  const target = join(directory, 'elsewhere')
  await file.moveTo(target)
  await file.growBeyond(50_000)
  expect(existsSync(path)).toBe(false)
  await file.remove()
  await file.remove()
  expect(readdirSync(directory)).toEqual([])
})

test('another file under the same name is not moved', async () => {
  const { file } = await startGrowing(path, [sampleBytes(10)])
  renameSync(path, join(directory, 'hidden'))
  writeFileSync(path, 'another')
  await expect(file.moveTo(join(directory, 'elsewhere'))).rejects.toThrow('not the one')
  await file.remove()
  expect(existsSync(join(directory, 'elsewhere'))).toBe(false)
})
