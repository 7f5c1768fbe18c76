import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { startGrowing } from '../growing.ts'
import { blobSuite } from './blob-suite.ts'
import { inChunks, readAll, sampleBytes } from './content.ts'

const made: string[] = []
const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-blobs-'))
  made.push(directory)
  return directory
}
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true })
})

blobSuite('blobs in files', () => openFileBlobStore({ directory: join(newDirectory(), 'not', 'there', 'yet') }))

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))

const everyKey = async (directory: string): Promise<string[]> => {
  const blobs = await openFileBlobStore({ directory })
  return (await Array.fromAsync(blobs.listOlderThan(Date.now() + 3_600_000))).flat()
}

test('the directory is accessible to the server alone, even if it existed before', async () => {
  const directory = newDirectory()
  execFileSync('chmod', ['755', directory])
  const blobs = await openFileBlobStore({ directory })
  await blobs.put(inChunks(sampleBytes(10), 10))
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  for (const file of filesBelow(directory)) expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('old unfinished writes of an earlier process are removed, recent ones are kept', async () => {
  const directory = newDirectory()
  const blobs = await openFileBlobStore({ directory })
  const [old, young] = ['old', 'young'].map(name => join(directory, 'tmp', name))
  for (const file of [old!, young!]) writeFileSync(file, 'half of it')
  const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000)
  utimesSync(old!, twoDaysAgo, twoDaysAgo)
  await Array.fromAsync(blobs.listOlderThan(Date.now() - 86_400_000))
  expect([existsSync(old!), existsSync(young!)]).toEqual([false, true])
})

test('unfinished writes of a former writer are removed at once, those of others are kept', async () => {
  const directory = newDirectory()
  await openFileBlobStore({ directory })
  const names = ['gone.1', 'gone.ping-2', 'live.1', 'gone', 'gone2.1']
  for (const name of names) writeFileSync(join(directory, 'tmp', name), 'half of it')
  await openFileBlobStore({ directory, writer: 'next', formerWriter: 'gone' })
  expect(readdirSync(join(directory, 'tmp')).sort()).toEqual(['gone', 'gone2.1', 'live.1'])
})

test('unfinished writes of a killed process carry its marker', async () => {
  const directory = newDirectory()
  const putting = [join(import.meta.dirname, 'put-for-ever.ts'), directory, 'killed', 'Infinity']
  const child = spawn(process.execPath, putting, { stdio: 'inherit' })
  const isWriting = () => existsSync(join(directory, 'tmp')) && readdirSync(join(directory, 'tmp')).length > 0
  await expect.poll(isWriting, { interval: 5, timeout: 20_000 }).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const left = readdirSync(join(directory, 'tmp'))
  expect(left.length).toBeGreaterThan(0)
  expect(left.filter(name => !name.startsWith('killed.'))).toEqual([])
  await openFileBlobStore({ directory, formerWriter: 'killed' })
  expect(readdirSync(join(directory, 'tmp'))).toEqual([])
})

test('a missing folder is storage_unavailable for every call, and no blob counts as missing', async () => {
  const directory = join(newDirectory(), 'blobs')
  const blobs = await openFileBlobStore({ directory })
  const { key } = await blobs.put(inChunks(sampleBytes(100), 10))
  const away = {
    code: 'storage_unavailable',
    message: `The folder of blobs ${directory} does not take or give content (ENOENT: no such file or directory). It does not exist: mount it, or create it.`,
  }
  renameSync(directory, `${directory}-away`)
  await expect(blobs.get(key)).rejects.toMatchObject(away)
  await expect(blobs.put(inChunks(sampleBytes(100), 10))).rejects.toMatchObject(away)
  await expect(blobs.ping()).rejects.toMatchObject(away)
  const { file } = await startGrowing(join(newDirectory(), 'file'), inChunks(sampleBytes(700_000), 10_000))
  await file.growBeyond(0)
  await expect(blobs.put(file)).rejects.toMatchObject(away)
  renameSync(`${directory}-away`, directory)
  expect(await readAll(await blobs.get(key))).toHaveLength(100)
  await blobs.ping()
})

test('invariant 9: after kill -9 during puts only whole blobs are there, and every acknowledged one', async () => {
  const directory = newDirectory()
  const child = spawn(process.execPath, [join(import.meta.dirname, 'put-for-ever.ts'), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const acknowledged: string[] = []
  for await (const key of createInterface({ input: child.stdout })) {
    acknowledged.push(key)
    if (acknowledged.length === 5) child.kill('SIGKILL')
  }
  const blobs = await openFileBlobStore({ directory })
  const keys = await everyKey(directory)
  for (const key of acknowledged) expect(keys).toContain(key)
  for (const key of keys) expect((await readAll(await blobs.get(key))).length).toBe(1_000_000)
})

test('invariant 9: a file that is still being written is moved, not copied, and is no blob before it is complete', async () => {
  const [directory, elsewhere] = [newDirectory(), newDirectory()]
  const blobs = await openFileBlobStore({ directory })
  const end = Promise.withResolvers<void>()
  async function* content() {
    yield sampleBytes(1_000_000)
    await end.promise
    yield sampleBytes(500_000)
  }
  const { file } = await startGrowing(join(elsewhere, 'file'), content())
  await file.growBeyond(0)
  const { ino } = statSync(join(elsewhere, 'file'))
  const putting = blobs.put(file)
  await expect.poll(() => readdirSync(join(directory, 'tmp'))).toHaveLength(1)
  expect([readdirSync(directory), readdirSync(elsewhere)]).toEqual([['tmp'], []])
  end.resolve()
  const { key, size } = await putting
  expect(size).toBe(1_500_000)
  const [stored, ...others] = filesBelow(directory)
  expect([stored?.endsWith(key), others]).toEqual([true, []])
  expect(statSync(stored!)).toMatchObject({ ino, nlink: 1 })
  expect(statSync(stored!).mode & 0o777).toBe(0o600)
})

test('a file that is being written on another file system is copied', async context => {
  const elsewhere = mountSmallDisk()
  if (elsewhere === null) return context.skip('needs root and mount(8) for a small tmpfs')
  const blobs = await openFileBlobStore({ directory: newDirectory() })
  const { file } = await startGrowing(join(elsewhere, 'file'), inChunks(sampleBytes(700_000), 10_000))
  await file.growBeyond(0)
  const { key } = await blobs.put(file)
  expect((await readAll(await blobs.get(key))).equals(sampleBytes(700_000))).toBe(true)
  expect(readdirSync(elsewhere)).toEqual([])
})

/** A file system of one MiB, or null where this process may not mount one. */
const mountSmallDisk = (): string | null => {
  const directory = newDirectory()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    return null
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', directory])
  })
  return directory
}

test('a full disk is ENOSPC, leaves nothing behind, and the store works again once there is space', async context => {
  const directory = mountSmallDisk()
  if (directory === null) return context.skip('needs root and mount(8) for a small tmpfs')
  const blobs = await openFileBlobStore({ directory })
  const { key } = await blobs.put(inChunks(sampleBytes(600_000), 60_000))
  await expect(blobs.put(inChunks(sampleBytes(2_000_000), 60_000))).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(filesBelow(directory)).toHaveLength(1)

  const fill = join(directory, 'fill')
  execFileSync('sh', ['-c', `cat /dev/zero > ${fill} 2>/dev/null || true`])
  await expect(blobs.ping()).rejects.toMatchObject({ code: 'ENOSPC' })
  await expect(blobs.put(inChunks(sampleBytes(5000), 5000))).rejects.toMatchObject({ code: 'ENOSPC' })
  rmSync(fill)
  await blobs.ping()
  await blobs.delete(key)
  const again = await blobs.put(inChunks(sampleBytes(900_000), 60_000))
  expect((await readAll(await blobs.get(again.key))).equals(sampleBytes(900_000))).toBe(true)
})

test('a put of 64 MiB neither blocks the event loop for long nor holds the content in memory', async () => {
  const blobs = await openFileBlobStore({ directory: newDirectory() })
  const chunk = sampleBytes(65_536)
  let sent = 0
  async function* large() {
    for (; sent < 64 * 1024 * 1024; sent += chunk.length) yield chunk
  }
  const before = process.memoryUsage().arrayBuffers
  let turns = 0
  let most = before
  const watch = setInterval(() => {
    turns += 1
    most = Math.max(most, process.memoryUsage().arrayBuffers)
  }, 0)
  const { size } = await blobs.put(large())
  clearInterval(watch)
  expect(size).toBe(64 * 1024 * 1024)
  // 256 blocks, each with a turn of the event loop between; timers may share a millisecond.
  expect(turns).toBeGreaterThan(10)
  expect(most - before).toBeLessThan(16 * 1024 * 1024)
})
