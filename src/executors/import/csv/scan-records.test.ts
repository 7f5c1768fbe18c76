import { expect, test } from 'vitest'
import type { Dialect } from './dialect.ts'
import { readRecords } from './read-fields.ts'
import { scanRecord } from './scan-records.ts'

const COMMAS: Dialect = { delimiter: ',', quote: '"' }

const scan = (text: string, dialect = COMMAS) => scanRecord(Buffer.from(text), 0, dialect, true)

test.each([
  ['a,b\nc', 'ok', 2, 4, 1],
  ['a,b\r\nc', 'ok', 2, 5, 1],
  ['a', 'ok', 1, 1, 1],
  [',', 'ok', 2, 1, 1],
  ['"a\nb",c\n', 'ok', 2, 8, 2],
  ['"a""b", "c" \n', 'ok', 2, 13, 1],
  ['a"b,c\n', 'ok', 2, 6, 1],
  ['\n', 'blank', 1, 1, 1],
  ['\r\n', 'blank', 1, 2, 1],
  [' \t\r\n', 'blank', 1, 4, 1],
  ['  ', 'blank', 1, 2, 1],
  ['""\n', 'ok', 1, 3, 1],
  ['a,"b"\r', 'ok', 2, 6, 1],
  ['"a"b,c\n', 'broken', 1, 3, 1],
  ['a,"b\nc', 'open', 2, 6, 1],
])('%j is %s', (text, type, fields, end, lines) => {
  expect(scan(text)).toMatchObject({ type, fields, end, lines })
})

test('a quote that is open is told with its line', () => {
  expect(scan('"a\nb","c\nd')).toMatchObject({ type: 'open', openLine: 2 })
  expect(scan('"a\nb",c')).toMatchObject({ type: 'ok', openLine: 0 })
})

test('a record is cut where more bytes may belong to it', () => {
  for (const text of ['a,b', '"a', '"a"', '"a",'])
    expect(scanRecord(Buffer.from(text), 0, COMMAS, false).type, text).toBe('cut')
  expect(scanRecord(Buffer.from('a,b\n'), 0, COMMAS, false).type).toBe('ok')
})

test('fields are read without their quotes and the spaces around them', () => {
  const read = (text: string, dialect = COMMAS) =>
    readRecords({ bytes: Buffer.from(text), isWhole: true }, dialect)[0]!.fields.map(field => field.text)
  expect(read('a, b ,"c ""d""" ," e "\r\n')).toEqual(['a', 'b', 'c "d"', ' e '])
  expect(read(',,\n')).toEqual(['', '', ''])
  expect(read('a\t"b"\t', { delimiter: '\t', quote: '' })).toEqual(['a', '"b"', ''])
})
