import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { BlobStore } from '../../src/blobs/blob-store.ts'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { ownedFolder } from '../../src/blobs/file/owned-folder.ts'
import { ownedBlobs } from '../../src/blobs/owned-blobs.ts'
import { openS3BlobStore } from '../../src/blobs/s3/s3-blob-store.ts'
import { createGarbageCollector } from '../../src/engine/collect-garbage.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { VirtualClock } from '../conformance/virtual-clock.ts'
import { createTestDatabase, type TestDatabase } from '../test-database.ts'
import { blobSuite } from './blob-suite.ts'
import { inChunks, readAll, sampleBytes } from './content.ts'
import { refuse, S3_KEYS, type S3Server, startS3Server } from './s3-server.ts'
import { type Faulty, startSwitchableS3 } from './switchable-s3.ts'

const HOUR = 3_600_000
const made: string[] = []
const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-owned-'))
  made.push(directory)
  return directory
}

const closed: (() => unknown)[] = []

let s3: S3Server
let database: TestDatabase
beforeAll(async () => {
  s3 = await startS3Server('blobs')
  database = await createTestDatabase()
})
afterAll(async () => {
  for (const close of closed.toReversed()) await close()
  await s3.close()
  await database.drop()
  for (const directory of made) rmSync(directory, { recursive: true, force: true })
})

const newStore = async (path = join(newDirectory(), 'millrace.db')): Promise<Store> => {
  const store = await openSqliteStore({ path, clock: systemClock })
  closed.push(() => store.close())
  return store
}

/** The blobs of a server that has just started, in one place. */
type Open = (store: Store) => Promise<BlobStore>

const inFolder =
  (directory: string): Open =>
  async settings =>
    ownedBlobs({ place: ownedFolder(directory), settings, open: () => openFileBlobStore({ directory }) })

const inBucket =
  (prefix: string, endpoint = s3.endpoint): Open =>
  async settings => {
    const location = { bucket: 'blobs', prefix, region: 'us-east-1', endpoint, forcePathStyle: true }
    const opened = await openS3BlobStore({ ...location, credentials: S3_KEYS })
    closed.push(() => opened.close())
    return ownedBlobs({ place: opened.place, settings, open: async () => opened })
  }

let prefixes = 0
const PLACES: readonly (readonly [string, () => Open])[] = [
  ['in a folder', () => inFolder(join(newDirectory(), 'not', 'there', 'yet'))],
  ['in a bucket', () => inBucket(`${++prefixes}/`)],
]

const put = (blobs: BlobStore, size = 1000) => blobs.put(inChunks(sampleBytes(size), 100))
const keysOf = async (blobs: BlobStore) => (await Array.fromAsync(blobs.listOlderThan(Date.now() + HOUR))).flat()
const idOf = async (store: Store): Promise<string> =>
  JSON.parse((await store.getSetting({ name: 'blobs_id' })) ?? '{}').id

/** Every call is refused with this message, and changes nothing. */
const expectRefused = async (blobs: BlobStore, message: RegExp, key = '0'.repeat(32)): Promise<void> => {
  const refused = { code: 'storage_unavailable', status: 503, retryAfter: 5, message: expect.stringMatching(message) }
  await expect(blobs.ping()).rejects.toMatchObject(refused)
  await expect(put(blobs)).rejects.toMatchObject(refused)
  await expect(blobs.get(key)).rejects.toMatchObject(refused)
  await expect(blobs.delete(key)).rejects.toMatchObject(refused)
  await expect(keysOf(blobs)).rejects.toMatchObject(refused)
}

for (const [where, newPlace] of PLACES)
  blobSuite(`blobs of a database ${where}`, async () => newPlace()(await newStore()))

describe.each(PLACES)('the blobs of a database %s', (_where, newPlace) => {
  test('are the same after a restart, and for a copy of the database elsewhere', async () => {
    const [directory, place] = [newDirectory(), newPlace()]
    const store = await newStore(join(directory, 'millrace.db'))
    const { key } = await put(await place(store))
    await store.close()
    const again = await place(await newStore(join(directory, 'millrace.db')))
    expect(await readAll(await again.get(key))).toHaveLength(1000)
    await again.ping()
    expect(await keysOf(again)).toEqual([key])
  })

  test('are refused to another database, which collects none of them as orphans', async () => {
    const place = newPlace()
    const [mine, other] = [await newStore(), await newStore()]
    const blobs = await place(mine)
    const { key } = await put(blobs)
    const foreign = await place(other)
    await expectRefused(
      foreign,
      / belongs to another database, .*put this line there instead and start again: [0-9a-f-]{36}$/,
      key,
    )
    const tomorrow = new VirtualClock(Date.now() + 25 * HOUR)
    const collector = createGarbageCollector({
      store: other,
      blobs: foreign,
      clock: tomorrow,
      logger: silentLogger,
    })
    await expect(collector.runOnce()).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(await readAll(await blobs.get(key))).toHaveLength(1000)
    expect(await idOf(mine)).not.toBe(await idOf(other))
  })

  test('belong to one of several databases that open the same place at once', async () => {
    const place = newPlace()
    const stores = await Promise.all(Array.from({ length: 4 }, () => newStore()))
    const opened = await Promise.all(stores.map(place))
    const outcomes = await Promise.allSettled(opened.map(blobs => blobs.ping()))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason.message).toContain('belongs to another database')
  })

  test('may be opened by many servers at once, even for the first time', async () => {
    await database.renew()
    const place = newPlace()
    const stores = await Promise.all(
      Array.from({ length: 6 }, (_, index) => openPostgresStore({ url: database.url, processName: `server ${index}` })),
    )
    closed.push(() => Promise.all(stores.map(store => store.close())))
    const opened = await Promise.all(stores.map(place))
    const stored = await Promise.all(opened.map(blobs => put(blobs)))
    for (const blobs of opened) {
      await blobs.ping()
      for (const { key } of stored) expect(await readAll(await blobs.get(key))).toHaveLength(1000)
    }
    expect(new Set(await Promise.all(stores.map(idOf))).size).toBe(1)
  })
})

describe('a blob folder', () => {
  let directory: string
  let root: string
  let store: Store
  let blobs: BlobStore
  beforeEach(async () => {
    directory = newDirectory()
    root = join(directory, 'blobs')
    store = await newStore()
    blobs = await inFolder(root)(store)
  })

  const unmount = () => renameSync(root, `${root}-away`)
  const mount = () => {
    rmSync(root, { recursive: true, force: true })
    renameSync(`${root}-away`, root)
  }
  const NOT_MOUNTED =
    /^The folder of blobs \S+ (is not the one that .*blobs\.id is not there\. Mount it, |.* mount it, or create it\.$)/

  test('has the id of the database from its first use on, and keeps what was there before', async () => {
    const before = await openFileBlobStore({ directory: root })
    const { key } = await put(before)
    await blobs.ping()
    expect(readFileSync(join(root, 'blobs.id'), 'utf8').trim()).toBe(await idOf(store))
    expect(readdirSync(join(root, 'tmp'))).toEqual([])
    expect(await readAll(await blobs.get(key))).toHaveLength(1000)
    expect(await keysOf(blobs)).toEqual([key])
  })

  test.each([
    ['does not exist', () => {}],
    ['is empty', () => mkdirSync(root)],
    [
      'has files that were written there by mistake',
      () => {
        for (let prefix = 0; prefix < 256; prefix++)
          mkdirSync(join(root, prefix.toString(16).padStart(2, '0')), { recursive: true })
        mkdirSync(join(root, 'tmp'))
      },
    ],
  ])(
    'whose mount point %s is refused by running and by starting servers until it is mounted',
    async (_, makeMountPoint) => {
      const { key } = await put(blobs)
      unmount()
      makeMountPoint()
      const there = () => readdirSync(directory, { recursive: true }).length
      const before = there()
      const started = await inFolder(root)(store)
      for (const server of [blobs, started]) await expectRefused(server, NOT_MOUNTED, key)
      expect(there()).toBe(before)
      mount()
      for (const server of [blobs, started]) {
        await server.ping()
        expect(await readAll(await server.get(key))).toHaveLength(1000)
        expect((await put(server)).size).toBe(1000)
      }
    },
  )

  test('that lost its content is accepted again once the line from the message is written there', async () => {
    const { key } = await put(blobs)
    rmSync(root, { recursive: true })
    mkdirSync(root)
    const fault = await blobs.ping().catch((error: Error) => error.message)
    writeFileSync(join(root, 'blobs.id'), `${/put this line there and start again: (\S+)$/.exec(String(fault))![1]}\n`)
    await (await inFolder(root)(store)).ping()
    expect(await blobs.get(key)).toBe(null)
  })

  test('that was moved is used in its new place', async () => {
    const { key } = await put(blobs)
    cpSync(root, `${root}-copy`, { recursive: true })
    const copied = await inFolder(`${root}-copy`)(store)
    await copied.ping()
    expect(await readAll(await copied.get(key))).toHaveLength(1000)
  })

  test('whose id was not completely written before a crash gets it again', async () => {
    // As between writing the id to the database and to the folder.
    await store.setSetting({ name: 'blobs_id', value: '{"id":"one","isWritten":false}' })
    mkdirSync(join(root, 'tmp'), { recursive: true })
    writeFileSync(join(root, 'tmp', 'id.1'), 'on')
    await blobs.ping()
    expect(readFileSync(join(root, 'blobs.id'), 'utf8')).toBe('one\n')
    expect(await store.getSetting({ name: 'blobs_id' })).toBe('{"id":"one","isWritten":true}')
  })

  test('with anything else in place of the id is refused', async () => {
    await put(blobs)
    const id = join(root, 'blobs.id')
    writeFileSync(id, sampleBytes(1000))
    await expectRefused(blobs, /^The folder of blobs \S+ belongs to another database, /)
    // More than Node can read at once.
    truncateSync(id, 3 * 2 ** 30)
    await expectRefused(blobs, /^The folder of blobs \S+ belongs to another database, /)
    truncateSync(id, 0)
    await expectRefused(blobs, NOT_MOUNTED)
    rmSync(id)
    mkdirSync(id)
    await expectRefused(blobs, /^The folder of blobs \S+ does not take or give content \(EISDIR: /)
  })

  test('that cannot be created is reported, and created once that is possible', async () => {
    writeFileSync(root, 'a file is in its place')
    await expectRefused(blobs, /^The folder of blobs \S+ does not take or give content \(ENOTDIR: /)
    rmSync(root)
    await blobs.ping()
  })
})

describe('a blob bucket', () => {
  const open = async (fault: Faulty | null) => {
    const switchable = await startSwitchableS3('blobs')
    onTestFinished(() => switchable.close())
    switchable.fault = fault
    const store = await newStore()
    return { switchable, store, blobs: await inBucket('mill/', switchable.endpoint)(store) }
  }
  const ofId = (path: string) => path.includes('/mill/blobs.id')

  test('that answers 403 for missing objects to keys without list rights is accepted', async () => {
    let isThere = false
    const { blobs } = await open(({ method, path }, response) => {
      if (!ofId(path)) return false
      if (method === 'PUT') isThere = true
      return method === 'GET' && !isThere && refuse(response, 403, 'AccessDenied')
    })
    expect((await put(blobs)).size).toBe(1000)
    await blobs.ping()
  })

  test('that does not support conditional writes is accepted', async () => {
    let refused = 0
    const { blobs } = await open(({ method, path, headers }, response) => {
      const isConditional = method === 'PUT' && ofId(path) && headers['if-none-match'] === '*'
      if (isConditional) refused++
      return isConditional && refuse(response, 501, 'NotImplemented')
    })
    await blobs.ping()
    expect(refused).toBeGreaterThan(0)
  })

  test('whose id another database writes at the same moment belongs to that database', async () => {
    let other: BlobStore | null = null
    const { switchable, blobs } = await open(({ method, path }, response) => {
      if (method !== 'PUT' || !ofId(path) || other === null) return false
      const first = other
      other = null
      first.ping().then(() => refuse(response, 412, 'PreconditionFailed'))
      return true
    })
    other = await inBucket('mill/', switchable.endpoint)(await newStore())
    await expectRefused(
      blobs,
      /^The bucket blobs at http:\S+ belongs to another database, by what is in s3:\/\/blobs\/mill\/blobs\.id/,
    )
  })

  test('that was emptied is refused instead of taken for one where everything was deleted', async () => {
    const { switchable, store, blobs } = await open(null)
    const { key } = await put(blobs)
    switchable.fault = (_, response) => refuse(response, 404, 'NoSuchKey')
    const started = await inBucket('mill/', switchable.endpoint)(store)
    await expectRefused(
      started,
      /^The bucket blobs at \S+ is not the one that .*: s3:\/\/blobs\/mill\/blobs\.id is not there/,
      key,
    )
    switchable.fault = null
    await started.ping()
    expect(await readAll(await started.get(key))).toHaveLength(1000)
  })

  test('that refuses requests is reported, and is asked for its id only once after it answers', async () => {
    const { switchable, blobs } = await open((_, response) => refuse(response, 403, 'AccessDenied'))
    await expectRefused(blobs, /^The bucket blobs at \S+ refuses \(AccessDenied, 403\)/)
    switchable.fault = null
    const { key } = await put(blobs)
    let asked = 0
    switchable.fault = ({ path }) => {
      if (ofId(path)) asked++
      return false
    }
    await put(blobs)
    await blobs.delete(key)
    expect(asked).toBe(0)
  })
})
