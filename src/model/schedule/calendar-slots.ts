import type { Calendar } from './calendar.ts'
import { type Exclusion, isExcluded } from './exclusion.ts'
import { createLocalTimes } from './local-times.ts'
import { nextAnswer, previousAnswer, remember } from './remember.ts'
import { FIRST_INSTANT, LAST_INSTANT, type Slots } from './slots.ts'
import { endOf, offsetBefore, segmentAt, type TimeZone } from './time-zone.ts'

/** More than any zone's clock is ever moved by (a day, where one was left out), and less than between two changes. */
const MARGIN = 2 * 86_400

/**
 * The instants of a calendar in a zone (`api.md`, Schedules).
 *
 * - A local time that does not exist, because the clock was put forward over it, runs at the first instant after the gap;
 *   once, however many fall into it. One that comes twice, because the clock was put back, runs at its first.
 * - Where the hour is `"*"`, every instant whose local time matches runs: an hour that was left out is no hour that
 *   elapsed, and of an hour that comes twice both are run. A clock that moves by 15, 20 or 30 minutes still leaves a part of
 *   an hour out, and the rule for gaps holds for that part: of a gap of `k` hours and a rest, its last `rest` seconds. In
 *   Lord Howe (02:00 to 02:30) `*:15` runs at 02:30, at which half of that hour is to come.
 * - `exclude` takes away a slot when the local time it was meant for, or the one it would run at, is excluded.
 *
 * A search looks at the segment of its instant, then at the next with a match or a gap in it. Beyond `MARGIN` after a
 * change no local time can repeat an earlier one, so from there everything before the next matching local time can be
 * left out: three or four segments at most are looked at before an answer, whatever the distance.
 */
export const createCalendarSlots = (input: {
  calendar: Calendar
  zone: TimeZone
  exclusion: Exclusion | null
}): Slots => {
  const { calendar, zone, exclusion } = input
  const times = createLocalTimes(calendar, exclusion)

  /** Whether local times that were left out before this segment run at its beginning. */
  const runsAfterGap = (segment: number): boolean => {
    const offset = zone.offsets[segment]!
    const width = offset - offsetBefore(zone, segment)
    const moved = calendar.everyHour ? width % 3600 : width
    if (moved <= 0) return false
    const end = zone.starts[segment]! + offset
    const meant = times.next(end - moved)
    return meant !== null && meant < end && !(exclusion && isExcluded(exclusion, end))
  }

  /** The local time from which a segment repeats no earlier one that has run already. */
  const firstLocal = (segment: number): number =>
    zone.starts[segment]! +
    (calendar.everyHour ? zone.offsets[segment]! : Math.max(zone.offsets[segment]!, offsetBefore(zone, segment)))

  const nextSecond = (from: number): number | null => {
    let instant = from
    for (;;) {
      const segment = segmentAt(zone, instant)
      const offset = zone.offsets[segment]!
      if (instant === zone.starts[segment] && runsAfterGap(segment)) return instant
      const local = times.next(Math.max(instant + offset, firstLocal(segment)))
      const end = endOf(zone, segment)
      if (local !== null && local - offset < end) return local - offset
      // `null` is believed a margin away from the end of the segment; nearer, the next one may repeat a match.
      const isFar = end - instant > MARGIN
      if (end === Number.POSITIVE_INFINITY || (local === null && isFar)) return null
      instant = isFar && local !== null ? Math.max(end, local - offset - MARGIN) : end
    }
  }

  const previousSecond = (to: number): number | null => {
    let instant = to
    for (;;) {
      const segment = segmentAt(zone, instant)
      const offset = zone.offsets[segment]!
      const local = times.previous(instant + offset)
      if (local !== null && local >= firstLocal(segment)) return local - offset
      if (runsAfterGap(segment)) return zone.starts[segment]!
      const start = zone.starts[segment]!
      const isFar = instant - start > MARGIN
      if (start === Number.NEGATIVE_INFINITY || (local === null && isFar)) return null
      instant = isFar && local !== null ? Math.min(start - 1, local - offset + MARGIN) : start - 1
    }
  }

  return {
    next: remember(from => {
      const second = nextSecond(Math.ceil(Math.max(from, FIRST_INSTANT) / 1000))
      return nextAnswer(from, second === null || second * 1000 > LAST_INSTANT ? null : second * 1000)
    }),
    previous: remember(to => {
      const second = previousSecond(Math.floor(Math.min(to, LAST_INSTANT) / 1000))
      return previousAnswer(to, second === null || second * 1000 < FIRST_INSTANT ? null : second * 1000)
    }),
  }
}
