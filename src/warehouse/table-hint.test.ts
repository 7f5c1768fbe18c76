import { expect, test } from 'vitest'
import { withOwnHint } from './table-hint.ts'

const unknown = "Unknown table expression identifier 'sale' in scope SELECT * FROM sale."

test('a table of the own database is suggested without its database', () => {
  expect(withOwnHint(`${unknown} Maybe you meant live.sales?. (UNKNOWN_TABLE)`, 'live')).toBe(
    `${unknown} Maybe you meant sales? (UNKNOWN_TABLE)`,
  )
  expect(withOwnHint(`${unknown} Maybe you meant \`mr-a\`.sales?`, 'mr-a')).toBe(`${unknown} Maybe you meant sales?`)
})

test.each(['system.one', 'other.sales', '`mr-b`.sales', 'live.c__jobs_log'])(
  '%s, which no query may read, is not suggested',
  name => {
    expect(withOwnHint(`${unknown} Maybe you meant ${name}?.`, 'live')).toBe(unknown)
  },
)

test('suggestions of columns are kept', () => {
  const text = "Identifier 'x.id' cannot be resolved. Maybe you meant: ['x.c']."
  expect(withOwnHint(text, 'live')).toBe(text)
})
