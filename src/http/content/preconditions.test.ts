import { describe, expect, test } from 'vitest'
import { evaluatePreconditions, rangeAllowed } from './preconditions.ts'

const CONTENT = { tag: '"abc"', modifiedAt: Date.UTC(2026, 10, 21, 12, 0, 0, 500) }
const BEFORE = 'Sat, 21 Nov 2026 11:59:59 GMT'
const SAME = 'Sat, 21 Nov 2026 12:00:00 GMT'
const AFTER = 'Sat, 21 Nov 2026 12:00:01 GMT'

describe('preconditions', () => {
  test.each([
    [{}, 'proceed'],
    [{ 'if-match': '"abc"' }, 'proceed'],
    [{ 'if-match': '*' }, 'proceed'],
    [{ 'if-match': '"x", "abc"' }, 'proceed'],
    [{ 'if-match': '"x"' }, 'failed'],
    [{ 'if-match': 'W/"abc"' }, 'failed'],
    [{ 'if-match': '' }, 'failed'],
    [{ 'if-unmodified-since': BEFORE }, 'failed'],
    [{ 'if-unmodified-since': SAME }, 'proceed'],
    [{ 'if-unmodified-since': AFTER }, 'proceed'],
    [{ 'if-unmodified-since': 'yesterday' }, 'proceed'],
    [{ 'if-match': '"abc"', 'if-unmodified-since': BEFORE }, 'proceed'],
    [{ 'if-none-match': '"abc"' }, 'not_modified'],
    [{ 'if-none-match': 'W/"abc"' }, 'not_modified'],
    [{ 'if-none-match': '"x", "abc"' }, 'not_modified'],
    [{ 'if-none-match': '*' }, 'not_modified'],
    [{ 'if-none-match': '"ab"' }, 'proceed'],
    [{ 'if-none-match': 'abc' }, 'proceed'],
    [{ 'if-modified-since': BEFORE }, 'proceed'],
    [{ 'if-modified-since': SAME }, 'not_modified'],
    [{ 'if-modified-since': AFTER }, 'not_modified'],
    [{ 'if-modified-since': 'tomorrow' }, 'proceed'],
    [{ 'if-none-match': '"x"', 'if-modified-since': AFTER }, 'proceed'],
    [{ 'if-match': '"x"', 'if-none-match': '"abc"' }, 'failed'],
    [{ 'if-match': '"abc"', 'if-none-match': '"abc"' }, 'not_modified'],
  ] as const)('%o: %s', (headers, expected) => {
    expect(evaluatePreconditions(headers, CONTENT)).toBe(expected)
  })
})

test.each([
  [undefined, true],
  ['"abc"', true],
  ['W/"abc"', false],
  ['"abd"', false],
  [SAME, true],
  [BEFORE, false],
  [AFTER, false],
  ['yesterday', false],
])('If-Range %s allows a range: %s', (header, expected) => {
  expect(rangeAllowed(header, CONTENT)).toBe(expected)
})
