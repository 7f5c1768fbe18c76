import { expect, test } from 'vitest'
import { findQueryParameters, withNullParameters, withTypedParameters } from './query-parameters.ts'

const SQL =
  'SELECT \'{a:String}\' AS "{b:String}", {day : Date} -- {c:Date}\n FROM t WHERE x = {list:Array(Int32)} /* {d:Date} */'

test('parameters are found where they mean something', () => {
  expect(findQueryParameters(SQL)).toEqual([
    { name: 'day', type: 'Date' },
    { name: 'list', type: 'Array(Int32)' },
  ])
})

test('without them the rest is as it was', () => {
  const typed = (day: string): string =>
    SQL.replace('{day : Date}', day).replace('{list:Array(Int32)}', "defaultValueOfTypeName('Array(Int32)')")
  expect(withTypedParameters(SQL)).toEqual([
    typed("defaultValueOfTypeName('Date')"),
    typed("materialize(defaultValueOfTypeName('Date'))"),
  ])
  expect(withNullParameters(SQL)).toBe(SQL.replace('{day : Date}', 'NULL').replace('{list:Array(Int32)}', 'NULL'))
})
