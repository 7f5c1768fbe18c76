import { expect, test } from 'vitest'
import { cpuTimeOf, NOISE_MICROSECONDS } from '../../test/growth.ts'
import { closeNames } from './close-names.ts'

test('the most similar names come first, three at most', () => {
  expect(closeNames('Uper', ['lower', 'upper', 'super', 'cupper', 'toUpper'])).toEqual(['upper', 'super', 'cupper'])
  expect(closeNames('nothing', ['lower', 'upper'])).toEqual([])
})

test('the same file name in another folder counts as similar', () => {
  expect(closeNames('resize', ['images/thumbnails/resize', 'images/crop'])).toEqual(['images/thumbnails/resize'])
})

test('a name that is too long to be similar is not compared', async () => {
  const names = Array.from({ length: 1500 }, (_, index) => `function_${index}`)
  const usual = await cpuTimeOf(() => closeNames('function_of_mine', names))
  for (const text of ['a', '/', 'a/'])
    for (const end of ['', '/function_7']) {
      const long = `${text.repeat(1_000_000 / text.length)}${end}`
      let found: readonly string[] | undefined
      expect(await cpuTimeOf(() => (found = closeNames(long, names)))).toBeLessThan(Math.max(usual, NOISE_MICROSECONDS))
      expect(found).toEqual([])
    }
})
