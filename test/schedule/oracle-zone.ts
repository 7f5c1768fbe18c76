/** An instant in epoch seconds, and what the clock of the zone shows, as if it were UTC. */
export type Moment = { readonly second: number; readonly local: number }

/** The local time of a zone over a span of time, read from `Temporal` hour by hour, and second by second where it changes. */
export type OracleZone = {
  at(second: number): Moment
  /** Seconds by which the clock is put forward at exactly this moment; 0 for all others. */
  gapBefore(moment: Moment): number
}

export const openOracleZone = (name: string, from: number, to: number): OracleZone => {
  const offsets = new Int32Array(to - from + 2)
  const offsetAt = (second: number): number =>
    Temporal.Instant.fromEpochMilliseconds(second * 1000).toZonedDateTimeISO(name).offsetNanoseconds / 1e9
  const first = from - 1
  fill(first, to + 1)
  return {
    at: second => ({ second, local: second + offsets[second - first]! }),
    gapBefore: ({ second }) => Math.max(0, offsets[second - first]! - offsets[second - 1 - first]!),
  }

  /** No clock changes twice within an hour. */
  function fill(start: number, end: number): void {
    for (let hour = start; hour < end; hour += 3600) halve(hour, Math.min(hour + 3600, end), offsetAt(hour))
  }

  function halve(start: number, end: number, offset: number): void {
    const atEnd = offsetAt(end - 1)
    if (offset === atEnd) {
      offsets.fill(offset, start - first, end - first)
      return
    }
    const middle = Math.floor((start + end) / 2)
    halve(start, middle, offset)
    halve(middle, end, offsetAt(middle))
  }
}
