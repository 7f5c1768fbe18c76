import { expect, test } from 'vitest'
import { formatColumns, formatRows } from './rows-table.ts'

test('numbers, large ones too, are right-aligned, and null is empty', () => {
  const rows = [
    { id: '9007199254740993', name: 'a', half: 0.5 },
    { id: '1', name: null, half: null },
  ]
  expect(formatRows(rows)).toBe(
    ['              id  name  half', '9007199254740993  a      0.5', '               1', ''].join('\n'),
  )
})

test('infinities and NaN are aligned like numbers', () => {
  expect(formatRows([{ a: 1.5 }, { a: -0 }, { a: 'inf' }, { a: '-inf' }, { a: 'nan' }, { a: '-nan' }])).toBe(
    '   a\n 1.5\n  -0\n inf\n-inf\n nan\n nan\n',
  )
})

test('nested values are JSON, and control characters cannot move the cursor', () => {
  expect(formatRows([{ list: [1, 'x'], text: 'a\u001b[2Jb\nc' }])).toBe('list     text\n[1,"x"]  ab c\n')
})

test('no rows print nothing', () => {
  expect(formatRows([])).toBe('')
})

test('two columns may have the same name', () => {
  expect(formatColumns({ names: ['x', '1', '1'], values: [['a', 1, 2]] })).toBe('x  1  1\na  1  2\n')
})
