import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { BlobStore } from '../../src/blobs/blob-store.ts'
import { isThere } from '../../src/blobs/is-there.ts'
import { startGrowing } from '../growing.ts'
import { inChunks, readAll, sampleBytes, sha256 } from './content.ts'

/** What every blob store must do. `open` returns an empty one, which must stay usable for the whole suite. */
export const blobSuite = (name: string, open: () => Promise<BlobStore>): void => {
  describe(name, () => {
    let blobs: BlobStore
    beforeAll(async () => {
      blobs = await open()
    })

    const put = (bytes: Uint8Array) => blobs.put(inChunks(bytes, 60_000))
    const allKeys = async () => (await Array.fromAsync(blobs.listOlderThan(Date.now() + 3_600_000))).flat()

    test('what was put is read back, however it was chunked', async () => {
      const property = fc.asyncProperty(
        fc.integer({ min: 0, max: 800_000 }),
        fc.integer({ min: 1000, max: 900_000 }),
        async (size, chunkSize) => {
          const bytes = sampleBytes(size)
          const stored = await blobs.put(inChunks(bytes, chunkSize))
          expect({ size: stored.size, sha256: stored.sha256 }).toEqual({ size, sha256: sha256(bytes) })
          expect((await readAll(await blobs.get(stored.key))).equals(bytes)).toBe(true)
          await blobs.delete(stored.key)
        },
      )
      await fc.assert(property, { numRuns: 20 })
    })

    test('an empty blob is a blob', async () => {
      const stored = await put(Buffer.alloc(0))
      expect(stored).toMatchObject({ size: 0, sha256: createHash('sha256').digest('hex') })
      expect((await readAll(await blobs.get(stored.key))).length).toBe(0)
    })

    test('the same content put twice has two keys, so deleting one leaves the other', async () => {
      const bytes = sampleBytes(1000)
      const [first, second] = await Promise.all([put(bytes), put(bytes)])
      expect(first.key).not.toBe(second.key)
      await blobs.delete(first.key)
      expect(await blobs.get(first.key)).toBe(null)
      expect(await readAll(await blobs.get(second.key))).toEqual(bytes)
    })

    test('a producer may reuse its buffer for the next chunk', async () => {
      const buffer = Buffer.alloc(1000)
      async function* reusing() {
        for (let i = 0; i < 500; i++) yield buffer.fill(i & 0xff)
      }
      const stored = await blobs.put(reusing())
      const expected = Buffer.concat(Array.from({ length: 500 }, (_, i) => Buffer.alloc(1000, i & 0xff)))
      expect((await readAll(await blobs.get(stored.key))).equals(expected)).toBe(true)
    })

    test('a range includes both ends and stops at the end of the content', async () => {
      const bytes = sampleBytes(700_000)
      const { key } = await put(bytes)
      const property = fc.asyncProperty(
        fc.integer({ min: 0, max: 699_999 }),
        fc.integer({ min: 0, max: 800_000 }),
        async (start, length) => {
          const range = { start, end: start + length }
          const part = await readAll(await blobs.get(key, range))
          expect(part.equals(bytes.subarray(start, start + length + 1))).toBe(true)
        },
      )
      await fc.assert(property, { numRuns: 30 })
    })

    test('a range may have only a start or only an end', async () => {
      const bytes = sampleBytes(10_000)
      const { key } = await put(bytes)
      expect((await readAll(await blobs.get(key, { start: 9_000 }))).equals(bytes.subarray(9_000))).toBe(true)
      expect((await readAll(await blobs.get(key, { end: 99 }))).equals(bytes.subarray(0, 100))).toBe(true)
    })

    test('a blob of another size than expected is damaged', async () => {
      const { key } = await put(sampleBytes(1000))
      const damaged = { code: 'content_damaged', message: expect.stringContaining(key) }
      for (const size of [999, 1001, 0]) await expect(blobs.get(key, { size })).rejects.toMatchObject(damaged)
      await expect(blobs.get(key, { start: 1000, end: 1009, size: 2000 })).rejects.toMatchObject(damaged)
      expect(await readAll(await blobs.get(key, { size: 1000 }))).toHaveLength(1000)
      expect(await readAll(await blobs.get(key, { start: 990, size: 1000 }))).toHaveLength(10)
      const empty = await put(Buffer.alloc(0))
      expect(await readAll(await blobs.get(empty.key, { size: 0 }))).toHaveLength(0)
      await expect(blobs.get(empty.key, { size: 1 })).rejects.toMatchObject({ code: 'content_damaged' })
      expect(await blobs.get('0'.repeat(32), { size: 5 })).toBe(null)
    })

    test('isThere finds a blob exactly when a reader would', async () => {
      for (const size of [0, 1, 1000]) {
        const { key } = await put(sampleBytes(size))
        expect(await isThere(blobs, { key, size })).toBe(true)
        await expect(isThere(blobs, { key, size: size + 1 })).rejects.toMatchObject({ code: 'content_damaged' })
        await blobs.delete(key)
        expect(await isThere(blobs, { key, size })).toBe(false)
      }
    })

    test('a system error of the content’s source is not reported as a fault of the store', async () => {
      const fault = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' })
      async function* failing() {
        yield sampleBytes(700_000)
        throw fault
      }
      await expect(blobs.put(failing())).rejects.toBe(fault)
    })

    test('content that fails half-way leaves nothing and rejects with its own error', async () => {
      const before = await allKeys()
      async function* failing() {
        yield sampleBytes(700_000)
        throw new Error('the client has gone')
      }
      await expect(blobs.put(failing())).rejects.toThrow('the client has gone')
      expect(await allKeys()).toEqual(before)
    })

    test('one byte beyond maxBytes is too_large, leaves nothing and stops the producer', async () => {
      const before = await allKeys()
      let stopped = false
      async function* endless() {
        try {
          for (;;) yield sampleBytes(100_000)
        } finally {
          stopped = true
        }
      }
      await expect(blobs.put(endless(), { maxBytes: 1_000_000 })).rejects.toMatchObject({ code: 'too_large' })
      await expect(blobs.put(inChunks(sampleBytes(1001), 1001), { maxBytes: 1000 })).rejects.toThrow()
      expect(stopped).toBe(true)
      expect(await allKeys()).toEqual(before)
      const exact = await blobs.put(inChunks(sampleBytes(1000), 7), { maxBytes: 1000 })
      expect(exact.size).toBe(1000)
    })

    test('an aborted put rejects with the reason, leaves nothing and stops the producer', async () => {
      const before = await allKeys()
      const stop = new AbortController()
      let stopped = false
      async function* endless() {
        try {
          for (let parts = 0; ; parts++) {
            if (parts === 20) stop.abort(new Error('nobody wants it'))
            yield sampleBytes(100_000)
          }
        } finally {
          stopped = true
        }
      }
      await expect(blobs.put(endless(), { signal: stop.signal })).rejects.toThrow('nobody wants it')
      await expect(blobs.put(inChunks(sampleBytes(10), 10), { signal: stop.signal })).rejects.toThrow('nobody wants it')
      await expect.poll(() => stopped).toBe(true)
      expect(await allKeys()).toEqual(before)
    })

    describe('the contents of a file that is still being written', () => {
      let directory: string
      beforeEach(() => {
        directory = mkdtempSync(join(tmpdir(), 'millrace-growing-'))
      })
      afterEach(() => rmSync(directory, { recursive: true, force: true }))

      const grow = async (content: AsyncIterable<Uint8Array>) => {
        const growing = await startGrowing(join(directory, 'file'), content)
        await growing.file.growBeyond(0)
        return growing
      }

      test('are stored with their hash, and the file is removed', async () => {
        const bytes = sampleBytes(20_000_000)
        const { file } = await grow(inChunks(bytes, 700_000))
        const stored = await blobs.put(file)
        expect({ size: stored.size, sha256: stored.sha256 }).toEqual({ size: bytes.length, sha256: sha256(bytes) })
        expect((await readAll(await blobs.get(stored.key))).equals(bytes)).toBe(true)
        expect(readdirSync(directory)).toEqual([])
      })

      test('are not mixed up with those of other files at the same time', async () => {
        const sizes = [3_000_000, 5_000_001, 7_000_002]
        const stored = await Promise.all(
          sizes.map(async size => {
            const growing = await startGrowing(join(directory, String(size)), inChunks(sampleBytes(size), 100_000))
            await growing.file.growBeyond(0)
            return blobs.put(growing.file)
          }),
        )
        expect(stored.map(each => each.sha256)).toEqual(sizes.map(size => sha256(sampleBytes(size))))
      })

      test('are not stored when the writer fails', async () => {
        const before = await allKeys()
        const begun = Promise.withResolvers<void>()
        async function* failing() {
          yield sampleBytes(700_000)
          await begun.promise
          throw new Error('the engine broke')
        }
        const { file } = await grow(failing())
        begun.resolve()
        await expect(blobs.put(file)).rejects.toThrow('the engine broke')
        expect(await allKeys()).toEqual(before)
        expect(readdirSync(directory)).toEqual([])
      })

      test('are refused as soon as they exceed maxBytes, and the writer is stopped', async () => {
        const before = await allKeys()
        async function* endless() {
          for (;;) yield sampleBytes(100_000)
        }
        const { file, state, written } = await grow(endless())
        await expect(blobs.put(file, { maxBytes: 5_000_000 })).rejects.toMatchObject({ code: 'too_large' })
        expect(state.left).toBe(true)
        await written
        expect(await allKeys()).toEqual(before)
        expect(readdirSync(directory)).toEqual([])
      })

      test('are not stored when the put is aborted', async () => {
        const before = await allKeys()
        const stop = new AbortController()
        async function* endless() {
          for (let parts = 0; ; parts++) {
            if (parts === 50) stop.abort(new Error('nobody wants it'))
            yield sampleBytes(100_000)
          }
        }
        const { file } = await grow(endless())
        await expect(blobs.put(file, { signal: stop.signal })).rejects.toThrow('nobody wants it')
        await file.remove()
        expect(await allKeys()).toEqual(before)
        expect(readdirSync(directory)).toEqual([])
      })

      test('may have exactly maxBytes', async () => {
        const { file } = await grow(inChunks(sampleBytes(3_000_000), 100_000))
        expect(await blobs.put(file, { maxBytes: 3_000_000 })).toMatchObject({ size: 3_000_000 })
      })
    })

    test('a reader that has started reads to the end although the blob is deleted', async () => {
      const bytes = sampleBytes(3_000_000)
      const { key } = await put(bytes)
      const reader = await blobs.get(key)
      await blobs.delete(key)
      expect((await readAll(reader)).equals(bytes)).toBe(true)
    })

    test('an invalid key is not found, and deleting it is no error', async () => {
      for (const key of ['', '0'.repeat(32), '../../etc/passwd', '..', 'tmp', 'ab/../../secret']) {
        expect(await blobs.get(key)).toBe(null)
        await blobs.delete(key)
      }
    })

    test('keys older than a given time are listed', async () => {
      const { key } = await put(sampleBytes(10))
      expect(await allKeys()).toContain(key)
      const anHourAgo = await Array.fromAsync(blobs.listOlderThan(Date.now() - 3_600_000))
      expect(anHourAgo.flat()).not.toContain(key)
      await blobs.delete(key)
      expect(await allKeys()).not.toContain(key)
    })

    test('many puts at once do not disturb each other', async () => {
      const sizes = Array.from({ length: 40 }, (_, i) => i * 9001)
      const stored = await Promise.all(sizes.map(size => put(sampleBytes(size))))
      for (const [i, { key, size }] of stored.entries()) {
        expect(size).toBe(sizes[i])
        expect(sha256(await readAll(await blobs.get(key)))).toBe(sha256(sampleBytes(size)))
      }
    })

    test('a ping of a writable store succeeds', async () => {
      await expect(blobs.ping()).resolves.toBeUndefined()
    })
  })
}
