import { expect, test } from 'vitest'
import { judgeLine } from './judge-line.ts'

test.each([
  ['{"a":1}', 'right'],
  [' {"a":{"b":1,"c":":{"},"b":[{"a":1},{"a":2}]} \r\n', 'right'],
  ['{}', 'right'],
  ['{"a":1},\r\n', 'right'],
  ['{"a":"\\\\","b":"\\":"}', 'right'],
  ['{"__proto__":1,"a":2}', 'right'],
  [' \t\r\n', 'blank'],
  [',', 'is not JSON'],
  ['{"a":1},,', 'is not JSON'],
  ['{"a":1}{"a":2}', 'is not JSON'],
  ['{"a":1} {"a":2}', 'is not JSON'],
  ['{"a":01}', 'is not JSON'],
  ['{"a":1', 'is not JSON'],
  ['\u00a0{"a":1}', 'is not JSON'],
  ['[1]', 'is not a JSON object'],
  ['null', 'is not a JSON object'],
  ['{"a":1,"b":2,"a":1}', 'has a key twice'],
  ['{"a":1,"\\u0061":2}', 'has a key twice'],
  [`{"a":${'['.repeat(1400)}${']'.repeat(1400)}}`, 'right'],
  [`{"a":${'['.repeat(1500)}${']'.repeat(1500)}}`, 'is nested deeper than 1500 levels'],
])('%j %s', (line, verdict) => {
  expect(judgeLine(line)).toBe(verdict)
})
