import { expect, test } from 'vitest'
import { compareWithOracle } from './compare-with-oracle.ts'

/** A longer run: `RUNS` of 20,000 and another seed; it takes a quarter of an hour. */
const RUNS = 150
const SEED = 20_261_122

test('random schedules in random zones have the slots that a walk second by second finds, forwards and backwards', () => {
  const { slots, compared } = compareWithOracle({ runs: RUNS, seed: SEED })
  // Were most of the windows empty, the agreement would say little.
  expect(compared).toBeGreaterThan(100)
  expect(slots).toBeGreaterThan(10_000)
})
