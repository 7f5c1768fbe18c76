import { expect, test } from 'vitest'
import { LowWater } from './low-water.ts'

const job = (priority: number, sequence: number) => ({ priority, sequence })
const claim = { isFullScan: true, tookMs: 1, now: 0 }

/** One that has already seen two slow claims: the next one makes it certain. */
const suspicious = (): LowWater => {
  const lowWater = new LowWater()
  for (let i = 0; i < 2; i++) lowWater.claimed({ ...claim, tookMs: 100, rows: [] })
  return lowWater
}

test('an occasional slow claim changes nothing', () => {
  const lowWater = suspicious()
  lowWater.claimed({ ...claim, rows: [] })
  lowWater.claimed({ ...claim, tookMs: 100, rows: [job(0, 1)] })
  expect(lowWater.marks(1)).toBeNull()
})

test('quick claims scan in full', () => {
  const lowWater = new LowWater()
  expect(lowWater.marks(0)).toBeNull()
  lowWater.claimed({ ...claim, rows: [job(0, 50_000_000)] })
  expect(lowWater.marks(0)).toBeNull()
})

test('after several slow ones, claims start slightly below the last claimed of each priority, the highest first', () => {
  const lowWater = suspicious()
  lowWater.claimed({ ...claim, tookMs: 200, rows: [job(-1, 30_000_000), job(5, 50_000_000), job(0, 100)] })
  expect(lowWater.marks(1)).toEqual({ priorities: [5, 0, -1], sequences: [49_800_000, 0, 29_800_000] })
})

test('full scans return in proportion to their cost, and become normal when they are quick again', () => {
  const lowWater = suspicious()
  lowWater.claimed({ ...claim, tookMs: 100, rows: [job(0, 1)] })
  expect(lowWater.marks(1999)).not.toBeNull()
  expect(lowWater.marks(2000)).toBeNull()
  lowWater.claimed({ ...claim, tookMs: 100, now: 2000, rows: [] })
  expect(lowWater.fullScanDueAt).toBe(4000)
  lowWater.claimed({ ...claim, isFullScan: false, tookMs: 1, now: 2100, rows: [job(0, 2)] })
  expect(lowWater.marks(2200)).not.toBeNull()
  lowWater.claimed({ ...claim, now: 4000, rows: [job(0, 3)] })
  expect(lowWater.marks(4001)).toBeNull()
})

test('a large claim is not slow because it is large', () => {
  const lowWater = suspicious()
  lowWater.claimed({ ...claim, tookMs: 90, rows: Array.from({ length: 1000 }, (_, index) => job(0, index)) })
  expect(lowWater.marks(1)).toBeNull()
})
