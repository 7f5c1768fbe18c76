import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openFileBlobStore } from '../../blobs/file/file-blob-store.ts'
import { startDownload } from './download.ts'
import { fileSource } from './source/file-source.ts'
import type { Source } from './source/source.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-download-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const isLinux = process.platform === 'linux'

/** Files below a directory that this process has open. */
const openBelow = (path: string): readonly string[] =>
  readdirSync('/proc/self/fd').flatMap(name => {
    try {
      const target = readlinkSync(`/proc/self/fd/${name}`)
      return target.startsWith(path) ? [target] : []
    } catch {
      return []
    }
  })

/** A spool whose file cannot be created: too many are open, the disk is full, … */
const refusedDownload = (source: Source) =>
  startDownload({
    source,
    path: join(directory, 'missing', 'spool'),
    fields: { url: 'upload:…', format: 'csv' },
    maxBytes: 1000,
    signal: new AbortController().signal,
    progress: () => {},
  })

test.skipIf(!isLinux)(`content that cannot be spooled is closed${isLinux ? '' : ' (needs /proc)'}`, async () => {
  const blobs = await openFileBlobStore({ directory: join(directory, 'blobs') })
  const { key } = await blobs.put(Readable.from(['a,b\n1,2\n'], { objectMode: false }))
  const content = (await blobs.get(key))!
  writeFileSync(join(directory, 'rows.csv'), 'a,b\n1,2\n')
  const sources = [
    { size: () => 8, content, shown: 'the upload' },
    await fileSource(`file://${join(directory, 'rows.csv')}`, [directory]),
  ]
  expect(openBelow(directory)).toHaveLength(2)
  for (const source of sources)
    await expect(refusedDownload(source).spooling.whole()).rejects.toMatchObject({ code: 'ENOENT' })
  await expect.poll(() => openBelow(directory)).toEqual([])
})
