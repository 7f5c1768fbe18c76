import fc from 'fast-check'
import { expect } from 'vitest'
import { readSchedule } from '../../src/model/schedule/schedule.ts'
import type { ScheduleSpec } from '../../src/model/schedule/schedule-schema.ts'
import { spec, WINDOW, zoneAndInstant } from './arbitrary.ts'
import { bruteForce, type OracleSpec } from './oracle.ts'
import { slotsBackwards, slotsBetween } from './read.ts'

export type Comparison = { compared: number; slots: number }

/** Compares random schedules with the oracle over windows of three hours. A failure prints its seed and its spec. */
export const compareWithOracle = ({ runs, seed }: { runs: number; seed: number }): Comparison => {
  const comparison = { compared: 0, slots: 0 }
  const property = fc.property(spec, zoneAndInstant, (parts, { zone, second }) => {
    const slots = compareOne({ ...parts, time_zone: zone } as OracleSpec, second * 1000)
    comparison.compared += slots === null ? 0 : 1
    comparison.slots += slots ?? 0
  })
  // Without shrinking: a failing run takes a second, and its spec is readable as it is.
  fc.assert(property, { numRuns: runs, seed, endOnFailure: true })
  return comparison
}

/** The number of slots in the window; null for a schedule that is refused. */
const compareOne = (written: OracleSpec, from: number): number | null => {
  const to = from + WINDOW * 1000
  const createdAt = from - 86_400_123
  const schedule = readSchedule(written as ScheduleSpec, { createdAt })
  if ('errors' in schedule) {
    // A part that matches no date or is completely excluded; unit tests cover those.
    expect(schedule.errors.filter(error => !error.neverFires)).toEqual([])
    return null
  }
  const found = slotsBetween(schedule, from, to)
  expect(slotsBackwards(schedule, from, to)).toEqual(found)
  expect(found).toEqual(bruteForce(written, { from, to, createdAt }))
  return found.length
}
