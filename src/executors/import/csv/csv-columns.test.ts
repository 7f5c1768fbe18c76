import { expect, test } from 'vitest'
import { mostFields } from './csv-columns.ts'
import type { Field } from './read-fields.ts'

test.each([
  [0, 3],
  [2, 3],
  [5, 5],
  [1_000_000, 16_384],
])('if the first line has %i fields, and there are two columns, a line may have %i', (fields, most) => {
  const first = { fields: Array<Field>(fields), linesToEnd: 1 }
  expect(mostFields(2, [first])).toBe(most)
})
