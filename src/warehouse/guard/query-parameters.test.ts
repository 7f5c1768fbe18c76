import { expect, test } from 'vitest'
import { findQueryParameters, withNullParameters, withTypedParameters } from './query-parameters.ts'

const SQL =
  'SELECT \'{a:String}\' AS "{b:String}", {day : Date} -- {c:Date}\n FROM t WHERE x = {list:Array(Int32)} /* {d:Date} */'

test('parameters are found outside of strings, comments and names', () => {
  expect(findQueryParameters(SQL)).toEqual([
    { name: 'day', type: 'Date' },
    { name: 'list', type: 'Array(Int32)' },
  ])
})

test('replacing parameters leaves the rest unchanged', () => {
  const typed = (day: string): string =>
    SQL.replace('{day : Date}', day).replace('{list:Array(Int32)}', "defaultValueOfTypeName('Array(Int32)')")
  expect(withTypedParameters(SQL)).toEqual([
    typed("defaultValueOfTypeName('Date')"),
    typed("materialize(defaultValueOfTypeName('Date'))"),
  ])
  expect(withNullParameters(SQL)).toBe(SQL.replace('{day : Date}', 'NULL').replace('{list:Array(Int32)}', 'NULL'))
})

test('an unclosed string or comment extends to the end', () => {
  for (const open of ["'", '"', '`', '/*', "'\\'", "'x\\"])
    expect(findQueryParameters(`SELECT {a:UInt8}, ${open} {b:UInt8}`)).toEqual([{ name: 'a', type: 'UInt8' }])
  expect(findQueryParameters("SELECT 'a''{b:UInt8}', `a\\`{b:UInt8}`, {a : UInt8 }")).toEqual([
    { name: 'a', type: 'UInt8' },
  ])
})

test('heredocs and hash comments contain neither parameters nor the start of a string', () => {
  const sql =
    "SELECT $$it's {b:UInt8}$$, $a$ {c:UInt8} $$ \" $a$, a$b, {a:UInt8} # don't {d:Date}\n, {e:Date} #! `\n, {f:Date}"
  expect(findQueryParameters(sql).map(({ name }) => name)).toEqual(['a', 'e', 'f'])
  expect(withNullParameters(sql)).toBe(sql.replace(/\{([aef]):\w+\}/g, 'NULL'))
})

test.each([
  ['blanks', '{a:', ' ', ''],
  ['letters', '{', 'a', ' '],
  ['comments', '', '/*', ''],
  ['escaped quotes', "'", "\\'", ''],
  ['escaped double quotes', '"', '\\"', 'x'],
  ['escaped backquotes', '`', '\\`', 'x'],
  ['brackets', '', '{a:', ''],
  ['dollars', '', '$', 'x'],
  ['dollars with letters', '', '$a', 'x'],
  ['dollars with blanks', '', ' $a$b', 'x'],
])('a megabyte of %s takes no longer than reading it', (_, before, repeated, after) => {
  const sql = `${before}${repeated.repeat(1_000_000 / repeated.length)}${after}`
  expect(findQueryParameters(sql)).toEqual([])
  expect(withNullParameters(sql)).toBe(sql)
})
