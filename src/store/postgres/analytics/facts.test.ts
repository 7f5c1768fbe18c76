import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../../test/test-database.ts'
import { bucketOf } from '../../../model/histogram.ts'
import { bucketColumn } from './facts.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

test('the bucket of a duration in SQL equals that of the model, at all bounds and between them', async () => {
  const powers = Array.from({ length: 50 }, (_, index) => 2 ** index).flatMap(power => [power - 1, power, power + 1])
  const steps = Array.from({ length: 330 }, (_, index) => Math.round(2 ** (index / 8))).flatMap(at => [
    at - 1,
    at,
    at + 1,
  ])
  const random = fc.sample(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { numRuns: 2000, seed: 20261122 })
  const short = fc.sample(fc.nat({ max: 10_000 }), { numRuns: 2000, seed: 20261122 })
  const durations = [0, ...powers, ...steps, ...random, ...short]
  const rows = await database.query(
    `SELECT d, ${bucketColumn('d')} AS bucket FROM unnest('{${durations.join()}}'::bigint[]) AS i (d)`,
  )
  expect(rows.map(row => [Number(row.d), row.bucket])).toEqual(durations.map(at => [at, bucketOf(at)]))
})
