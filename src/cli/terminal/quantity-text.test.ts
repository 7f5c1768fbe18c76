import { expect, test } from 'vitest'
import { durationText, shortTimeText, sizeText, timeText } from './quantity-text.ts'

test.each([
  [0, '0 B'],
  [812, '812 B'],
  [1024, '1.0 KiB'],
  [1_500_000, '1.4 MiB'],
  [10 * 1024 ** 3, '10.0 GiB'],
  [5000 * 1024 ** 4, '5000.0 TiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text)
})

test.each([
  [83, '83ms'],
  [4200, '4.2s'],
  [187_000, '3m07s'],
  [8_100_000, '2h15m'],
  [273_600_000, '3d04h'],
])('%d ms are %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})

test('a time is shown in the zone of the terminal, and a missing one is empty', () => {
  const local = new Date(2026, 10, 21, 9, 5, 7)
  expect(timeText(local.toISOString())).toBe('2026-11-21 09:05:07')
  expect(timeText(null)).toBe('')
})

test('a time of today is shown without its date', () => {
  const noon = new Date(2026, 10, 21, 12, 0, 0)
  expect(shortTimeText(noon.toISOString(), noon.getTime() + 3_600_000)).toBe('12:00:00')
  expect(shortTimeText(noon.toISOString(), noon.getTime() + 86_400_000)).toBe('2026-11-21 12:00:00')
})
