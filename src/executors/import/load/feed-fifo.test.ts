import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startSpooling } from '../spool/spooling.ts'
import { makeFifo } from './feed-fifo.ts'

const makeInFolder = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fifo-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return { folder, fifo: (await makeFifo(join(folder, 'content')))! }
}

/** Its exit code and what it has read; null: it still waits after twenty seconds. */
const read = (path: string) => {
  const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void reader.kill('SIGKILL'))
  let text = ''
  reader.stdout.on('data', part => {
    text += part
  })
  const exit = once(reader, 'close').then(([code]) => ({ code, text }))
  return { end: () => Promise.race([exit, sleep(20_000, null, { ref: false })]) }
}

test('a reader gets the content, and then its end', async () => {
  const { folder, fifo } = await makeInFolder()
  const reader = read(fifo.path)
  async function* content() {
    yield Buffer.from('one\n')
    yield Buffer.from('two\n')
  }
  const spooling = startSpooling(join(folder, 'spool'), content())
  await fifo.feed(spooling)
  expect(await reader.end()).toEqual({ code: 0, text: 'one\ntwo\n' })
  await fifo.end()
  expect(readdirSync(folder)).toEqual(['spool'])
})

test.each([0, 1, 5, 100])('a reader that begins to wait for a writer %i ms before the end sees it', async ms => {
  const { folder, fifo } = await makeInFolder()
  const reader = read(fifo.path)
  await sleep(ms)
  await fifo.end()
  // It has read nothing, or did not find the pipe any more.
  expect(await reader.end()).toMatchObject({ code: expect.any(Number), text: '' })
  expect(readdirSync(folder)).toEqual([])
})
