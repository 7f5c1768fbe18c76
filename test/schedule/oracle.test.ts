import { expect, test } from 'vitest'
import { compareWithOracle } from './compare-with-oracle.ts'

/** A longer run: `RUNS` of 20,000 and another seed; it takes a quarter of an hour. */
const RUNS = 120
const SEED = 20_261_122

test('random schedules in random zones have the slots that a walk second by second finds, forwards and backwards', () => {
  const { slots, compared } = compareWithOracle({ runs: RUNS, seed: SEED })
  // If most of the windows were empty, the agreement would prove little.
  expect(compared).toBeGreaterThan(100)
  expect(slots).toBeGreaterThan(10_000)
})
