import { expect, test } from 'vitest'
import { quoteIdentifier } from './quote-identifier.ts'

test('an ordinary name is put into backquotes', () => {
  expect(quoteIdentifier('events')).toBe('`events`')
})

test('backquotes and backslashes are escaped', () => {
  expect(quoteIdentifier('a`b\\')).toBe('`a\\`b\\\\`')
})
