import { LAST_YEAR } from './civil-date.ts'

/**
 * A time zone from 1970 to 2199 as *segments* between changes of its offset. Local second = instant (epoch seconds) + offset.
 * The first segment has no beginning and the last no end. No two changes of any zone are closer than two days: a test
 * looks at all of them, and the searches rely on it.
 */
export type TimeZone = {
  readonly name: string
  /** The instant at which each segment begins; the first is -Infinity. */
  readonly starts: readonly number[]
  /** Seconds, by segment. */
  readonly offsets: readonly number[]
}

/** By name. Reading a zone takes about a millisecond, its segments a few kilobytes; there are some six hundred names. */
const zones = new Map<string, TimeZone>()

/** The zone of a name of the IANA database (in any case) or of an offset such as `+05:30`; null when there is none. */
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
    // A change of the name alone, or of what counts as summer time, moves no clock.
    if (offset !== offsets.at(-1)) {
      starts.push(change.epochMilliseconds / 1000)
      offsets.push(offset)
    }
    change = change.getTimeZoneTransition('next')
  }
  return { name: beginning.timeZoneId, starts, offsets }
}

const offsetSeconds = (time: Temporal.ZonedDateTime): number => time.offsetNanoseconds / 1e9

/** The segment that an instant lies in. */
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

/** The instant at which a segment ends and the next begins. */
export const endOf = ({ starts }: TimeZone, segment: number): number => starts[segment + 1] ?? Number.POSITIVE_INFINITY

/** The offset before a segment; its own for the first. */
export const offsetBefore = ({ offsets }: TimeZone, segment: number): number => offsets[segment - 1] ?? offsets[0]!

export const localOf = (zone: TimeZone, instant: number): number => instant + zone.offsets[segmentAt(zone, instant)]!
