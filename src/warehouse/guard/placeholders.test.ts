import { expect, test } from 'vitest'
import { findPlaceholders, withoutPlaceholders } from './placeholders.ts'

const SQL =
  'SELECT \'{a:String}\' AS "{b:String}", {day : Date} -- {c:Date}\n FROM t WHERE x = {list:Array(Int32)} /* {d:Date} */'

test('placeholders are found where they mean something', () => {
  expect(findPlaceholders(SQL)).toEqual([
    { name: 'day', type: 'Date' },
    { name: 'list', type: 'Array(Int32)' },
  ])
})

test('without them the rest is as it was', () => {
  expect(withoutPlaceholders(SQL)).toBe(SQL.replace('{day : Date}', 'NULL').replace('{list:Array(Int32)}', 'NULL'))
})
