import { expect, test } from 'vitest'
import type { Dialect } from './dialect.ts'
import { readRecords } from './read-fields.ts'
import { scanRecord } from './scan-records.ts'

const COMMAS: Dialect = { delimiter: ',', quote: '"' }

const scan = (text: string, dialect = COMMAS) =>
  scanRecord(Buffer.from(text), { start: 0, dialect, isLast: true, edgeOf: 1 })

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

test('an open quote is reported with its line', () => {
  expect(scan('"a\nb","c\nd')).toMatchObject({ type: 'open', openLine: 2 })
  expect(scan('"a\nb",c')).toMatchObject({ type: 'ok', openLine: 0 })
})

test('a record is incomplete if more bytes may belong to it', () => {
  for (const text of ['a,b', '"a', '"a"', '"a",', '"a\nb"\r', '"a" \r', '\r', 'a\r'])
    expect(scanRecord(Buffer.from(text), { start: 0, dialect: COMMAS, isLast: false }).type, text).toBe('cut')
  expect(scanRecord(Buffer.from('a,b\n'), { start: 0, dialect: COMMAS, isLast: false }).type).toBe('ok')
})

test('fields are read without their quotes and surrounding spaces', () => {
  const read = (text: string, dialect = COMMAS) =>
    readRecords({ bytes: Buffer.from(text), isWhole: true }, dialect)[0]!.fields.map(field => field.text)
  expect(read('a, b ,"c ""d""" ," e "\r\n')).toEqual(['a', 'b', 'c "d"', ' e '])
  expect(read(',,\n')).toEqual(['', '', ''])
  expect(read('a\t"b"\t', { delimiter: '\t', quote: '' })).toEqual(['a', '"b"', ''])
})

test('the end of a field is given if others follow it', () => {
  expect([scan('"a,b" ,c\n').edge, scan('a\n').edge, scan(',').edge]).toEqual([6, null, 0])
})

test('a carriage return at the start ends the previous line', () => {
  expect(scan('\r"a,b",c\n')).toMatchObject({ type: 'ok', fields: 2, end: 9 })
  expect(scan('\r\n')).toMatchObject({ type: 'blank', end: 2 })
  expect(scan('\r')).toMatchObject({ type: 'blank', end: 1 })
  expect(scan(' \t\r"a,b",c\n')).toMatchObject({ type: 'ok', fields: 2, end: 11 })
})

test('the start of the requested field is given if it is not quoted', () => {
  expect(['\ra,b', ' a,b', '"a",b', ' "a"', 'a'].map(text => scan(text).bare)).toEqual([1, 1, null, null, 0])
})

test('blanks are part of the values that tabs separate', () => {
  const tabs: Dialect = { delimiter: '\t', quote: '"' }
  expect(scan(' \tb\n', tabs)).toMatchObject({ type: 'ok', fields: 2, filled: 2 })
  expect(scan('"a" \tb\n', tabs)).toMatchObject({ type: 'broken' })
  expect(scan('  \n', tabs)).toMatchObject({ type: 'ok', fields: 1, filled: 1 })
  const [record] = readRecords({ bytes: Buffer.from(' a \t "b"\n'), isWhole: true }, tabs)
  expect(record!.fields.map(field => field.text)).toEqual([' a ', ' "b"'])
})

test.each([
  ['doubled quotes', 'a,b\n"', '""', '",1\n'],
  ['doubled quotes without an end', 'a,b\n"', '""', ''],
  ['lines in quotes', 'a,b\n"', '\n""', '",1\n'],
  ['blanks in a value', 'a,b\nx', ' ', 'y,1\n'],
  ['blanks before a value', 'a,b\n', ' ', 'y,1\n'],
  ['returns in a value', 'a,b\nx', '\r', 'y,1\n'],
  ['fields in quotes', 'a,b\n', '"",', '1\n'],
  ['short records', 'a,b\n', '"",""\n', ''],
])('a megabyte of %s takes no longer than to read it', (_, before, repeated, after) => {
  const bytes = Buffer.from(`${before}${repeated.repeat(1_000_000 / repeated.length)}${after}`)
  expect(readRecords({ bytes, isWhole: true }, COMMAS).length).toBeGreaterThan(0)
})
