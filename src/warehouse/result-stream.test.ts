import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readResult } from './result-stream.ts'

const TAG = 'abcdefgh01234567'
const frame = (text: string) => `\r\n__exception__\r\n${TAG}\r\n${text}\n${text.length + 1} ${TAG}\r\n__exception__\r\n`
const EXCEPTION =
  'Code: 395. DB::Exception: it broke: while executing f(). (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version 26.7.2.1)'

async function* parts(texts: readonly string[], end?: Error): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text)
  if (end !== undefined) throw end
}

const read = async (
  texts: readonly string[],
  { end, tag, signal }: { end?: Error; tag?: string; signal?: AbortSignal } = {},
) => {
  const stream = Readable.from(parts(texts, end), { objectMode: false })
  const result = readResult({ stream, exceptionTag: tag, signal: signal ?? new AbortController().signal })
  let text = ''
  let error: unknown = null
  try {
    for await (const part of result) text += Buffer.from(part).toString()
  } catch (caught) {
    error = caught
  }
  return { text, error }
}

const ROWS = 'x'.repeat(100_000)

test('rows pass unchanged, whatever their number', async () => {
  expect(await read([], { tag: TAG })).toEqual({ text: '', error: null })
  expect(await read(['a', 'b', 'c'], { tag: TAG })).toEqual({ text: 'abc', error: null })
  expect(await read([ROWS, ROWS], { tag: TAG })).toEqual({ text: ROWS + ROWS, error: null })
})

test('an exception after the rows is thrown and not among them, however it is split', async () => {
  const whole = ROWS + frame(EXCEPTION)
  for (const size of [7, 1_000, 65_536, whole.length]) {
    const cut = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
      whole.slice(index * size, (index + 1) * size),
    )
    const { text, error } = await read(cut, { tag: TAG })
    expect(error).toMatchObject({ reason: 'sql_error', message: 'it broke' })
    expect(text).not.toContain('_exception_')
  }
})

test('an exception without a tag, as older servers write it, is found at the end', async () => {
  const { text, error } = await read([ROWS, `${EXCEPTION}\n`])
  expect(error).toMatchObject({ reason: 'sql_error', message: 'it broke' })
  expect(text).not.toContain('Code')
})

test('a broken connection is a lost engine after the rows, and the exception after an exception', async () => {
  const end = Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
  expect((await read([ROWS], { end, tag: TAG })).error).toMatchObject({ reason: 'engine_lost' })
  expect((await read([ROWS, frame(EXCEPTION)], { end, tag: TAG })).error).toMatchObject({
    reason: 'sql_error',
    message: 'it broke',
  })
})

test('a connection that we closed is a cancelled query', async () => {
  const signal = AbortSignal.abort()
  expect((await read(['a'], { end: new Error('aborted'), signal })).error).toMatchObject({ reason: 'cancelled' })
})

test('rows full of text like an exception are read as fast as others', async () => {
  const text = `${'Code: 1. DB::Exception: (version '.repeat(30_000)}\n`
  expect(await read([text])).toEqual({ text, error: null })
})

test('a value that looks like an exception with another tag is a value', async () => {
  const text = `"${frame(EXCEPTION).replaceAll(TAG, 'another')}"`
  expect(await read([text], { tag: TAG })).toEqual({ text, error: null })
})
