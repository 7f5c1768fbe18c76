import type { Calendar } from './calendar.ts'
import { type Exclusion, isExcluded } from './exclusion.ts'
import { createLocalTimes } from './local-times.ts'
import { nextAnswer, previousAnswer, remember } from './remember.ts'
import { FIRST_INSTANT, LAST_INSTANT, type Slots } from './slots.ts'
import { endOf, offsetBefore, segmentAt, type TimeZone } from './time-zone.ts'

/** More than any zone's clock has ever moved at once (a day, where a date was skipped), and less than the time between two changes. */
const MARGIN = 2 * 86_400

/**
 * The instants of a calendar in a time zone (`api.md`, Schedules).
 * - A local time that does not exist, because the clock was moved forward over it, runs at the first instant after the gap: once, however many fall into the
 *   gap. One that occurs twice, because the clock was moved back, runs the first time.
 * - If the hour is `"*"`, every instant with a matching local time runs: a skipped hour did not elapse, and an hour that occurs twice runs twice. A clock that
 *   moves by 15, 20 or 30 minutes skips only a part of an hour, and the rule for gaps applies to that part: in a gap of `k` hours and a rest, to its last
 *   `rest` seconds. In Lord Howe (02:00 to 02:30), `*:15` runs at 02:30, when half of that hour is still to come.
 * - `exclude` removes a slot if either its intended local time or the one at which it would run is excluded.
 *
 * A search looks at the segment of its instant, then at the next one with a match or a gap in it. Later than `MARGIN` after a change, no local time can repeat
 * an earlier one, so from there it can skip to the next matching local time: three or four segments are visited, whatever the distance. It always ends, because
 * each iteration advances by at least a segment, and a zone has about 460. It visits all of them only if every match falls into a gap that ends in an excluded
 * time.
 */
export const createCalendarSlots = (input: {
  calendar: Calendar
  zone: TimeZone
  exclusion: Exclusion | null
}): Slots => {
  const { calendar, zone, exclusion } = input
  const times = createLocalTimes(calendar, exclusion)

  /** Whether skipped local times before this segment run at its start. */
  const runsAfterGap = (segment: number): boolean => {
    const offset = zone.offsets[segment]!
    const width = offset - offsetBefore(zone, segment)
    const moved = calendar.everyHour ? width % 3600 : width
    if (moved <= 0) return false
    const end = zone.starts[segment]! + offset
    const meant = times.next(end - moved)
    return meant !== null && meant < end && !(exclusion && isExcluded(exclusion, end))
  }

  /** The local time from which a segment does not repeat local times that have already run. */
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
      // `null` is conclusive only farther than the margin from the end of the segment. Closer, the next segment may repeat a match.
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
