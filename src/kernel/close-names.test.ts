import { expect, test } from 'vitest'
import { closeNames } from './close-names.ts'

test('the closest names come first, three at most', () => {
  expect(closeNames('Uper', ['lower', 'upper', 'super', 'cupper', 'toUpper'])).toEqual(['upper', 'super', 'cupper'])
  expect(closeNames('nothing', ['lower', 'upper'])).toEqual([])
})

test('the same file in another folder was meant, however far', () => {
  expect(closeNames('resize', ['images/thumbnails/resize', 'images/crop'])).toEqual(['images/thumbnails/resize'])
})

test('a name of any length is compared at once', () => {
  const names = Array.from({ length: 1500 }, (_, index) => `function_${index}`)
  const startedAt = performance.now()
  for (const text of ['a', '/', 'a/'])
    for (const end of ['', '/function_7'])
      expect(closeNames(`${text.repeat(8_000_000 / text.length)}${end}`, names)).toEqual([])
  expect(performance.now() - startedAt).toBeLessThan(500)
})
