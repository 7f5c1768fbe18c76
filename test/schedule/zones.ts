import { findTimeZone, type TimeZone } from '../../src/model/schedule/time-zone.ts'

/** Every zone of the IANA database. */
export const ALL_ZONES: readonly TimeZone[] = Intl.supportedValuesOf('timeZone').map(name => findTimeZone(name)!)

/** The instants at which the clock of a zone changes between two instants, in epoch seconds. */
export const changesOf = (zone: TimeZone, from: number, to: number): readonly number[] =>
  zone.starts.filter(start => start >= from && start < to)

/** One zone of each group whose clocks agree from one instant to another (epoch seconds). */
export const distinctZones = (from: number, to: number): readonly TimeZone[] => {
  const byBehaviour = new Map<string, TimeZone>()
  for (const zone of ALL_ZONES) {
    const segments = zone.starts.flatMap((start, index) => {
      const end = zone.starts[index + 1] ?? Number.POSITIVE_INFINITY
      return end <= from || start >= to ? [] : [`${Math.max(start, from)}${zone.offsets[index]}`]
    })
    const key = segments.join()
    if (!byBehaviour.has(key)) byBehaviour.set(key, zone)
  }
  return [...byBehaviour.values()]
}
