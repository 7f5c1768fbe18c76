import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/test-database.ts'
import { arrayLiteral, type Value } from './array-literal.ts'

let database: TestDatabase
let client: pg.Client
beforeAll(async () => {
  database = await createTestDatabase()
  client = new pg.Client(database.url)
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

const readBack = async (values: readonly Value[], type: string) =>
  (
    await client.query(`SELECT value FROM unnest($1::${type}[]) WITH ORDINALITY AS a (value, n) ORDER BY n`, [
      arrayLiteral(values, value => value),
    ])
  ).rows.map(row => row.value)

test('PostgreSQL reads every text back unchanged, except U+0000, which it cannot hold', async () => {
  const awkward = ['', 'null', 'NULL', '{}', '{a,b}', '"', '\\', 'a b', ' a', ',', "'", '\n', 'a\0b', '🌙', null]
  expect(await readBack(awkward, 'text')).toEqual(awkward.map(value => (value === 'a\0b' ? 'a\ufffdb' : value)))
  const texts = fc.array(fc.option(fc.string({ unit: 'grapheme' })), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(texts, async values => {
      expect(await readBack(values, 'text')).toEqual(values.map(value => value?.replaceAll('\0', '\ufffd') ?? null))
    }),
    { numRuns: 50 },
  )
})

test('numbers, booleans and nulls are read back', async () => {
  expect(await readBack([1, -2, null], 'integer')).toEqual([1, -2, null])
  expect(await readBack([true, false, null], 'boolean')).toEqual([true, false, null])
  expect(await readBack([], 'integer')).toEqual([])
})
