import { expect, test } from 'vitest'
import { formatTable } from './table.ts'

type Row = { readonly name: string; readonly size: number }
const columns = [
  { title: 'SIZE', align: 'right' as const, value: (row: Row) => String(row.size) },
  { title: 'NAME', value: (row: Row) => row.name },
]

test('columns are as wide as their widest cell', () => {
  const rows = [
    { name: 'a', size: 5 },
    { name: 'b', size: 12_345 },
  ]
  expect(formatTable(columns, rows)).toBe(' SIZE  NAME\n    5  a\n12345  b\n')
})

test('the last column is cut at the width of the terminal', () => {
  const text = formatTable(columns, [{ name: 'x'.repeat(100), size: 1 }], 30)
  const row = text.split('\n')[1]!
  expect(row).toHaveLength(30)
  expect(row.endsWith('…')).toBe(true)
})

test('a terminal without a size does not cut the last column', () => {
  const name = 'x'.repeat(100)
  expect(formatTable(columns, [{ name, size: 1 }], 0)).toContain(name)
})

test('hundreds of thousands of rows are a table, too', () => {
  const rows = Array.from({ length: 300_000 }, (_, size) => ({ name: 'a', size }))
  expect(formatTable(columns, rows)).toMatch(/\n299999 {2}a\n$/)
})

test('a cell can neither break its row nor move the cursor', () => {
  const text = formatTable(columns, [{ name: 'a\nb\x1b[2Jc\rd', size: 1 }])
  expect(text).toBe('SIZE  NAME\n   1  a bc d\n')
})

test('a style applies to the padded cell and adds no width', () => {
  const styled = [{ ...columns[0]!, style: (cell: string) => `<${cell}>` }, columns[1]!]
  expect(formatTable(styled, [{ name: 'a', size: 5 }])).toBe('SIZE  NAME\n<   5>  a\n')
})
