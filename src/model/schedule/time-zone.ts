import { LAST_YEAR } from './civil-date.ts'

/**
 * A time zone from 1970 to 2199 as *segments* between changes of its offset. Local second = instant (epoch seconds) + offset. The first segment has no start,
 * and the last no end. No two changes of a zone are closer than two days: the searches rely on that, and a test checks it for all zones.
 */
export type TimeZone = {
  readonly name: string
  /** The instant at which each segment starts; -Infinity for the first. */
  readonly starts: readonly number[]
  /** Seconds, per segment. */
  readonly offsets: readonly number[]
}

/** A cache by name. Reading a zone takes about a millisecond, and its segments a few kilobytes; there are about six hundred names. */
const zones = new Map<string, TimeZone>()

/** The zone with a name from the IANA database (case-insensitive) or an offset such as `+05:30`; null if there is none. */
export const findTimeZone = (name: string): TimeZone | null => {
  const known = zones.get(name)
  if (known) return known
  const beginning = readBeginning(name)
  if (beginning === null) return null
  const zone = readSegments(beginning)
  zones.set(name, zone)
  return zone
}

const readBeginning = (name: string): Temporal.ZonedDateTime | null => {
  try {
    return new Temporal.ZonedDateTime(0n, name)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

const END = Date.UTC(LAST_YEAR + 1, 0, 1)

const readSegments = (beginning: Temporal.ZonedDateTime): TimeZone => {
  const starts = [Number.NEGATIVE_INFINITY]
  const offsets = [offsetSeconds(beginning)]
  let change = beginning.getTimeZoneTransition('next')
  while (change !== null && change.epochMilliseconds < END) {
    const offset = offsetSeconds(change)
    // Changes of only the name, or of what counts as summer time, do not move the clock.
    if (offset !== offsets.at(-1)) {
      starts.push(change.epochMilliseconds / 1000)
      offsets.push(offset)
    }
    change = change.getTimeZoneTransition('next')
  }
  return { name: beginning.timeZoneId, starts, offsets }
}

const offsetSeconds = (time: Temporal.ZonedDateTime): number => time.offsetNanoseconds / 1e9

/** The segment that contains an instant. */
export const segmentAt = ({ starts }: TimeZone, instant: number): number => {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= instant) low = middle
    else high = middle - 1
  }
  return low
}

/** The instant at which a segment ends and the next one starts. */
export const endOf = ({ starts }: TimeZone, segment: number): number => starts[segment + 1] ?? Number.POSITIVE_INFINITY

/** The offset before a segment; for the first, its own. */
export const offsetBefore = ({ offsets }: TimeZone, segment: number): number => offsets[segment - 1] ?? offsets[0]!

export const localOf = (zone: TimeZone, instant: number): number => instant + zone.offsets[segmentAt(zone, instant)]!
