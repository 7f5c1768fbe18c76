import { expect } from 'vitest'
import { readSchedule, type Schedule } from '../../src/model/schedule/schedule.ts'
import type { ScheduleSpec } from '../../src/model/schedule/schedule-schema.ts'

/** The schedule of a valid spec. */
export const scheduleOf = (spec: unknown, createdAt = 0): Schedule => {
  const schedule = readSchedule(spec as ScheduleSpec, { createdAt })
  if ('errors' in schedule) expect.fail(`${JSON.stringify(spec)}: ${JSON.stringify(schedule.errors)}`)
  return schedule
}

/** All slots from an instant (included) to another (excluded). */
export const slotsBetween = (schedule: Schedule, from: number, to: number): readonly number[] => {
  const slots: number[] = []
  for (let slot = schedule.nextSlot(from - 1); slot !== null && slot < to; slot = schedule.nextSlot(slot))
    slots.push(slot)
  return slots
}

/** The same, found backwards. */
export const slotsBackwards = (schedule: Schedule, from: number, to: number): readonly number[] => {
  const slots: number[] = []
  for (let slot = schedule.previousSlot(to); slot !== null && slot >= from; slot = schedule.previousSlot(slot))
    slots.push(slot)
  return slots.reverse()
}
