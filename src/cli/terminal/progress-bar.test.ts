import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { progressBar, progressLine } from './progress-bar.ts'

const screen = (isTTY: boolean) => {
  const written: string[] = []
  const stream = { isTTY, columns: 80, write: (text: string) => written.push(text) }
  return { stream: stream as unknown as NodeJS.WriteStream, written }
}

const passThrough = async (bar: ReturnType<typeof progressBar>): Promise<string> => {
  let passed = ''
  const target = new Writable({
    write(chunk, _encoding, next) {
      passed += chunk
      next()
    },
  })
  await pipeline(Readable.from([Buffer.from('abc'), Buffer.from('def')]), bar, target)
  return passed
}

test('the content passes unchanged, and its full size is drawn at the end', async () => {
  const { stream, written } = screen(true)
  expect(await passThrough(progressBar(stream, 'file', 6))).toBe('abcdef')
  expect(written.at(-1)).toContain('100%  6 B of 6 B  file')
})

test.each([1, 0])('a failure after %d chunks leaves the cursor at the start of a line', async chunks => {
  const { stream, written } = screen(true)
  const source = async function* () {
    for (let chunk = 0; chunk < chunks; chunk++) yield Buffer.from('abc')
    throw new Error('broken')
  }
  const draining = async () => {
    for await (const _ of progressBar(stream, 'file', 6)(source()));
  }
  await expect(draining()).rejects.toThrow('broken')
  expect(written.at(-1) ?? '\n').toMatch(/\n$/)
})

test('a reader that stops leaves the cursor at the start of a line', async () => {
  const { stream, written } = screen(true)
  for await (const _ of progressBar(stream, 'file', 6)(Readable.from([Buffer.from('abc'), Buffer.from('def')]))) break
  expect(written.at(-1)).toMatch(/50%.*\n$/)
})

test('nothing is drawn without a terminal', async () => {
  const { stream, written } = screen(false)
  expect(await passThrough(progressBar(stream, 'file', 6))).toBe('abcdef')
  expect(written).toEqual([])
})

test('a line is half full half-way, has no bar without a total, and never exceeds the width', () => {
  const line = progressLine({ label: 'file', done: 512, total: 1024, columns: 80 })
  expect(line).toBe(`${'█'.repeat(12)}${'░'.repeat(12)} 50%  512 B of 1.0 KiB  file`)
  expect(progressLine({ label: 'file', done: 512, total: null, columns: 80 })).toBe('512 B  file')
  expect(progressLine({ label: 'x'.repeat(200), done: 1, total: 2, columns: 60 })).toHaveLength(59)
})

test('the name of an artifact cannot move the cursor', () => {
  expect(progressLine({ label: 'a\u001b[2Jb', done: 1, total: null, columns: 80 })).toBe('1 B  ab')
})
