import { expect, test } from 'vitest'
import { createKnownColumns } from './known-columns.ts'

const NUMBER = [{ name: 'n', type: 'UInt8' }]
const TEXT = [{ name: 'n', type: 'String' }]

test('a SELECT is described once, until tables may have changed', async () => {
  const known = createKnownColumns()
  expect(await known.of('SELECT n', async () => NUMBER)).toBe(NUMBER)
  expect(await known.of('SELECT n', async () => TEXT)).toBe(NUMBER)
  expect(await known.of('SELECT m', async () => TEXT)).toBe(TEXT)
  known.forget()
  expect(await known.of('SELECT n', async () => TEXT)).toBe(TEXT)
})

test('neither a description made while a table changed nor a failure is cached', async () => {
  const known = createKnownColumns()
  const answer = Promise.withResolvers<typeof NUMBER>()
  const described = known.of('SELECT n', () => answer.promise)
  known.forget()
  answer.resolve(NUMBER)
  expect(await described).toBe(NUMBER)
  await expect(known.of('SELECT n', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
  expect(await known.of('SELECT n', async () => TEXT)).toBe(TEXT)
})
