import { describe, expect, test } from 'vitest'
import { findTimeZone, localOf, offsetBefore, segmentAt } from './time-zone.ts'

const ALL = Intl.supportedValuesOf('timeZone').map(name => findTimeZone(name)!)

describe('time zones', () => {
  test('every name of the IANA database is known', () => {
    expect(ALL.length).toBeGreaterThan(400)
    expect(ALL).not.toContain(null)
  })

  test('every zone has the local time that Intl gives, at its changes and elsewhere', () => {
    for (const zone of ALL) {
      const format = new Intl.DateTimeFormat('en-GB', {
        timeZone: zone.name,
        dateStyle: 'short',
        timeStyle: 'medium',
      })
      // Intl rounds offsets of Monrovia before 1972 to minutes; from then to 2100, twelve changes per zone.
      const changes = zone.starts.filter(start => start > Date.UTC(1972, 2) / 1000 && start < Date.UTC(2100, 0) / 1000)
      const chosen = changes.filter((_, index) => index % Math.ceil(changes.length / 12) === 0)
      for (const second of [...chosen.flatMap(change => [change - 1, change]), 1_234_567_890, 2_345_678_901]) {
        const shown = new Date(localOf(zone, second) * 1000)
        const date = shown.toISOString()
        const expected = `${date.slice(8, 10)}/${date.slice(5, 7)}/${date.slice(0, 4)}, ${date.slice(11, 19)}`
        if (format.format(second * 1000) !== expected) expect.fail(`${zone.name} at ${second}: ${expected}`)
      }
    }
  })

  test('no clock changes twice within two days or by more than a day, as the search requires', () => {
    for (const { name, starts, offsets } of ALL) {
      for (let segment = 1; segment < starts.length; segment++) {
        if (starts[segment]! - starts[segment - 1]! <= 2 * 86_400) expect.fail(`${name} changes twice`)
        if (Math.abs(offsets[segment]! - offsets[segment - 1]!) > 86_400) expect.fail(`${name} changes by a day`)
      }
    }
  })

  test('zone names are read in any case, and offsets are zones', () => {
    expect(findTimeZone('europe/BERLIN')?.offsets).toEqual(findTimeZone('Europe/Berlin')?.offsets)
    expect(findTimeZone('+05:30')).toMatchObject({ offsets: [5.5 * 3600] })
    expect(findTimeZone('UTC')).toMatchObject({ offsets: [0] })
  })

  test.each(['Mars/Olympus', '', 'Berlin', '../etc/passwd', '2026-01-01T00:00Z'])('%j is not a zone', name => {
    expect(findTimeZone(name)).toBeNull()
  })

  test('an instant belongs to the segment that starts with it', () => {
    const berlin = findTimeZone('Europe/Berlin')!
    const spring = Date.UTC(2026, 2, 29, 1) / 1000
    const segment = segmentAt(berlin, spring)
    expect(berlin.starts[segment]).toBe(spring)
    expect(segmentAt(berlin, spring - 1)).toBe(segment - 1)
    expect([offsetBefore(berlin, segment), berlin.offsets[segment]]).toEqual([3600, 7200])
    expect(segmentAt(berlin, 0)).toBe(0)
  })
})
