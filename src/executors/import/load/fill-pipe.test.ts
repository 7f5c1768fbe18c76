import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Spooling, startSpooling } from '../spool/spooling.ts'
import { fillPipe, type Pipe } from './fill-pipe.ts'
import { libraryCalls, type Splice } from './library-calls.ts'

const { splice, mkfifo } = (await libraryCalls())!

const busyFor = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
}

/** Ways to move content, and how often each is tried for many megabytes. */
const WAYS: Readonly<Record<string, { move: Splice | null; tries: (count: number) => boolean }>> = {
  'with splice': { move: splice, tries: count => splice === null || count > 10 },
  'without splice': { move: null, tries: count => count === 0 },
  'with a splice that the file system does not support': { move: () => -1n, tries: count => count === 1 },
  'with a splice that waits for the disk': {
    move: (...call) => {
      busyFor(25)
      return splice?.(...call) ?? -1n
    },
    tries: count => count === 1,
  },
}
const ways = Object.entries(WAYS)

const inFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'pipe-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A pipe, read by a shell command; `tries` counts the calls of splice. */
const pipeTo = async (command: string, move: Splice | null) => {
  const path = join(inFolder(), 'fifo')
  mkfifo(path, 0o600)
  const reader = spawn('sh', ['-c', `exec < "$1"; ${command}`, 'sh', path], { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void reader.kill('SIGKILL'))
  const parts: Buffer[] = []
  reader.stdout.on('data', part => parts.push(part))
  const end = once(reader, 'close').then(() => Buffer.concat(parts).toString())
  // Opens when there is a reader.
  const writer = await open(path, 'w')
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  await writer.close()
  const socket = new Socket({ fd: descriptor, readable: false, writable: true })
  socket.on('error', () => {})
  let tries = 0
  const counted: Splice = (...call) => {
    tries += 1
    return move!(...call)
  }
  const pipe: Pipe = { socket, descriptor, splice: move && counted }
  return { pipe, end, tries: () => tries }
}

const BYTES = 40 * 1024 * 1024 + 1234

/** In parts of many sizes. */
async function* content(bytes: Buffer) {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 300_007)
    yield bytes.subarray(at, at + size)
}

/** Its file exists. */
const spooled = async (bytes: Buffer): Promise<Spooling> => {
  const spooling = startSpooling(join(inFolder(), 'spool'), content(bytes))
  await spooling.beyond(0)
  return spooling
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

test.each(ways)('a reader gets all of the content, %s', async (_, { move, tries }) => {
  const bytes = randomBytes(BYTES)
  const sink = await pipeTo('sha256sum', move)
  await fillPipe(sink.pipe, await spooled(bytes))
  expect((await sink.end).slice(0, 64)).toBe(sha256(bytes))
  expect(sink.tries()).toSatisfy(tries)
})

test.each(ways)('so does a slow one, of what is spooled already, %s', async (_, { move, tries }) => {
  const bytes = randomBytes(BYTES)
  const spooling = await spooled(bytes)
  await spooling.whole()
  const sink = await pipeTo('(head -c 3000000; sleep 0.1; cat) | sha256sum', move)
  await fillPipe(sink.pipe, spooling)
  expect((await sink.end).slice(0, 64)).toBe(sha256(bytes))
  expect(sink.tries()).toSatisfy(tries)
})

test.each(ways)('a reader that leaves ends it, %s', async (_, { move }) => {
  const spooling = await spooled(randomBytes(BYTES))
  const sink = await pipeTo('head -c 3000000 | wc -c', move)
  await fillPipe(sink.pipe, spooling)
  expect((await sink.end).trim()).toBe('3000000')
  await spooling.whole()
})

test.each(ways)('what ends the content ends it, after what there was, %s', async (_, { move }) => {
  const bytes = randomBytes(2 * 1024 * 1024)
  async function* broken() {
    yield* content(bytes)
    throw new Error('broken off')
  }
  const path = join(inFolder(), 'spool')
  const sink = await pipeTo('sha256sum', move)
  const spooling = startSpooling(path, broken())
  await spooling.beyond(0)
  await expect(fillPipe(sink.pipe, spooling)).rejects.toThrow('broken off')
  expect((await sink.end).slice(0, 64)).toBe(sha256(readFileSync(path)))
})

test.each(ways)('it can be ended while the reader reads nothing, %s', async (_, { move }) => {
  const sink = await pipeTo('exec sleep 60', move)
  const filling = fillPipe(sink.pipe, await spooled(randomBytes(BYTES)))
  await expect.poll(() => sink.pipe.socket.writableLength).toBeGreaterThan(0)
  sink.pipe.socket.destroy()
  await filling
})
