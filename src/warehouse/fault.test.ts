import { expect, test } from 'vitest'
import { growthOf } from '../../test/growth.ts'
import { fromExceptionText, toWarehouseError } from './fault.ts'
import { withOwnHint } from './table-hint.ts'

const exception = (code: number, text: string) => Object.assign(new Error(text), { code: String(code) })

test.each([
  [62, 'sql_error'],
  [60, 'sql_error'],
  [241, 'query_memory'],
  [159, 'query_timeout'],
  [396, 'query_rows'],
  [394, 'cancelled'],
  [243, 'disk_full'],
  [210, 'engine_lost'],
  [516, 'engine_unavailable'],
] as const)('exception %i is %s', (code, reason) => {
  expect(toWarehouseError(exception(code, 'so it is'))).toMatchObject({ reason, message: 'so it is' })
})

test('a full disk is recognized by its message, whatever its code', () => {
  expect(
    toWarehouseError(exception(76, 'Cannot write to file, errno: 28, strerror: No space left on device')).reason,
  ).toBe('disk_full')
})

test.each([
  'Cannot create pipe: , errno: 24, strerror: Too many open files',
  'Cannot open a file of the server: , errno: 23, strerror: Too many open files in system',
  'Cannot allocate memory (mmap): , errno: 12, strerror: Cannot allocate memory',
])('a statement is not blamed for resources that the engine lacks: %s', text => {
  expect(toWarehouseError(exception(76, text))).toMatchObject({ reason: 'engine_lost', message: text })
})

test('a message contains the fault and its position, without code, class, version and stack', () => {
  const text =
    'Code: 62. DB::Exception: Syntax error: failed at position 8 (FORM) (line 1, col 8): FORM t. Expected one of: FROM. (SYNTAX_ERROR) (version 26.7.2.1 (official build))\nStack trace: 0. DB::Exception::Exception()'
  const error = fromExceptionText(text)
  expect(error?.message).toBe(
    'Syntax error: failed at position 8 (FORM) (line 1, col 8): FORM t. Expected one of: FROM.',
  )
})

test('a message shows the names that the user gave', () => {
  const text =
    'Code: 47. DB::Exception: Unknown identifier `x` in scope SELECT x FROM c__12_sales AS sales, c__3_c__1. (UNKNOWN)'
  expect(fromExceptionText(text)!.message).toContain('SELECT x FROM sales AS sales, c__1')
})

test('a missing parameter is called a parameter', () => {
  const text = 'Code: 456. DB::Exception: Substitution `city` is not set. (UNKNOWN_QUERY_PARAMETER) (version 26.7.2.1)'
  expect(fromExceptionText(text)!.message).toBe('The parameter city has no value: the SQL contains {city:…}.')
})

test.each([
  [
    "'sale' in scope SELECT * FROM sale WHERE a = 'Maybe.'. Maybe you meant sales?.",
    'There is no data source or pipe sale. Maybe you meant sales?',
  ],
  ["'nope' in scope  x.", 'There is no data source or pipe nope.'],
  [
    "'sales_quarantine' in scope SELECT * FROM sales_quarantine.",
    'There is no sales_quarantine: it is made for the first row that does not fit.',
  ],
  [
    "'sale_quarantine' in scope x. Maybe you meant sales_quarantine?.",
    'There is no sale_quarantine: it is made for the first row that does not fit. Maybe you meant sales_quarantine?',
  ],
])('an unknown table is named without the statement: %s', (text, message) => {
  const whole = withOwnHint(
    `Code: 60. DB::Exception: Unknown table expression identifier ${text.replace('meant ', 'meant live.')} (UNKNOWN_TABLE)`,
    'live',
  )
  expect(fromExceptionText(whole)!.message).toBe(message)
})

test('the statement of a fault is left out', () => {
  const text =
    'Code: 59. DB::Exception: Invalid type for filter in WHERE: String. In query SELECT a FROM live.t WHERE b. (ILLEGAL_TYPE)'
  expect(fromExceptionText(text)!.message).toBe('Invalid type for filter in WHERE: String.')
})

test('the columns that every table has are left out for an unknown column', () => {
  const text =
    "Code: 47. DB::Exception: Missing columns: 'nope' while processing: '(day, nope)', required columns: 'day' 'nope', available columns: '_part' '_table' 'day'. (UNKNOWN_IDENTIFIER)"
  expect(fromExceptionText(text)!.message).toBe("Missing columns: 'nope' while processing: '(day, nope)'")
})

test('what several servers append to a message is removed', () => {
  const text =
    'Code: 691. DB::Exception: Unexpected value. (UNKNOWN_ELEMENT) (version 26.7.2.1). (UNKNOWN_ELEMENT) (version 26.7.2.1)'
  expect(fromExceptionText(text)?.message).toBe('Unexpected value.')
})

test('a broken connection is a lost engine, an abort of our own is a cancel', () => {
  const broken = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
  expect(toWarehouseError(broken).reason).toBe('engine_lost')
  expect(toWarehouseError(broken, { isAborted: true }).reason).toBe('cancelled')
})

test('text without an exception is no fault', () => {
  expect(fromExceptionText('1,2,3\n4,5,6\n')).toBeNull()
})

test.each([
  [
    `Cannot parse input: expected '{' before: 'a,b': (at row 1)\n: (in file/uri /srv/mill race/data/warehouse/default/imports/01a2009f-1687-7a17-97a1-e67feb6afbc2.1): While executing ParallelParsingBlockInputFormat: While executing File.`,
    "Cannot parse input: expected '{' before: 'a,b': (at row 1)",
  ],
  [
    'The table structure cannot be extracted from a Parquet format file. Error:\nCode: 117. DB::Exception: Not a Parquet file (wrong magic bytes at the end of file). (INCORRECT_DATA) (version 26.7.2.1).\nYou can specify the structure manually: (in file/uri /srv/data/warehouse/default/imports/01a2009f-1687-7a17-97a1-e67feb6afbc2.1).',
    'The table structure cannot be extracted from a Parquet format file. Error:\nNot a Parquet file (wrong magic bytes at the end of file).',
  ],
  [
    "File /srv/data/warehouse/default/imports/01a2009f-1687-7a17-97a1-e67feb6afbc2.1 doesn't exist.",
    "a file of the server doesn't exist.",
  ],
  [
    'apache::thrift::transport::TTransportException: No more data to read: (in file/uri /srv/data/01a2.1): While executing File.',
    'No more data to read',
  ],
  [
    "Cannot parse '/home/me/data/sales.csv' of https://example.com/01a2009f-1687-7a17-97a1-e67feb6afbc2/x as UInt8",
    "Cannot parse '/home/me/data/sales.csv' of https://example.com/01a2009f-1687-7a17-97a1-e67feb6afbc2/x as UInt8",
  ],
])('a message contains no path of the server and no advice that users cannot follow: %s', (text, expected) => {
  expect(fromExceptionText(`Code: 117. DB::Exception: ${text} (INCORRECT_DATA)`)?.message).toBe(expected)
})

test.each([' ', '\t', '/*', '/0a', '(version ', '(AAA', '(AAA)', ': (in file/uri ', 'A::'])(
  'a message of only %j is scanned once',
  async text => {
    const make = (size: number) => `Code: 117. DB::Exception: x${text.repeat(size / text.length)}x`
    expect(await growthOf({ size: 16_000, make, work: fromExceptionText })).toBeLessThan(3)
  },
)

test('a message suggests no setting, since users cannot change any', () => {
  const text =
    'Code: 62. DB::Exception: Max query size exceeded (can be increased with the `max_query_size` setting): Syntax error: failed at position 9. (SYNTAX_ERROR)'
  expect(fromExceptionText(text)!.message).toBe('Max query size exceeded: Syntax error: failed at position 9.')
})
