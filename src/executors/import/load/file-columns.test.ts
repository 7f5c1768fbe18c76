import { expect, test } from 'vitest'
import { shownNames } from './file-columns.ts'

test('few short names are listed as they are', () => {
  expect(shownNames(['a', '', 'c'])).toBe('a, (no name), c')
})

test('of many long names a message has some, each with its beginning', () => {
  const names = Array.from({ length: 100_000 }, (_, index) => `${index}${'x'.repeat(1000)}`)
  const shown = shownNames(names)
  expect(shown).toMatch(/^0x+…, 1x+…, .*, 19x+… and 99980 more$/)
  expect(shown.length).toBeLessThan(3000)
})
