import { Cron } from 'croner'
import { readSchedule } from '../../src/model/schedule/schedule.ts'

const ZONE = 'Europe/Berlin'
const START = Date.UTC(2026, 0, 1)

/** One rule as a calendar of ours and as a cron of croner. Both give slots per second, over the same slots. */
export const open = async () => {
  const schedule = readSchedule(
    {
      calendars: [
        {
          day_of_week: { start: 'MONDAY', end: 'FRIDAY' },
          hour: { start: 9, end: 17 },
          minute: { start: 0, end: 45, step: 15 },
        },
      ],
      time_zone: ZONE,
    },
    { createdAt: 0 },
  )
  if ('errors' in schedule) throw new Error(JSON.stringify(schedule.errors))
  const croner = new Cron('0,15,30,45 9-17 * * MON-FRI', { timezone: ZONE, paused: true })
  const ours = (after: number): number => schedule.nextSlot(after)!
  const theirs = (after: number): number => croner.nextRun(new Date(after))!.getTime()
  checkEqual(ours, theirs)
  return {
    millrace: async (slots: number) => measure(ours, slots),
    croner: async (slots: number) => measure(theirs, slots),
    close: async () => {},
  }
}

type Next = (after: number) => number

/** A year of slots is the same on both sides: otherwise they would not do the same work. */
const checkEqual = (ours: Next, theirs: Next): void => {
  let slot = START
  for (let count = 0; count < 9000; count++) {
    const next = ours(slot)
    if (next !== theirs(slot)) throw new Error(`the next slot after ${new Date(slot).toISOString()} is not the same`)
    slot = next
  }
}

/** After so many slots back to the start: both sides walk over the same months. */
const STRETCH = 4000

const measure = (next: Next, slots: number): number => {
  const start = performance.now()
  for (let done = 0; done < slots; done += STRETCH) {
    let slot = START
    for (let count = 0; count < STRETCH; count++) slot = next(slot)
  }
  return (slots / (performance.now() - start)) * 1000
}
