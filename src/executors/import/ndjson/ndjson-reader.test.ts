import { expect, test } from 'vitest'
import type { DataSource } from '../../../model/data-source.ts'
import { judgeRead, storedValue, withShared } from '../load/judge-read.ts'
import { ndjsonReader } from './ndjson-reader.ts'

test('a statement extracts each nested value once, and prepares the object they are in once', () => {
  const columns = ['a', 'b', 'c'].map(key => ({ name: key, type: 'Int64', jsonPath: `$.object.${key}` }))
  const judged = ndjsonReader({ columns } as unknown as DataSource, { isUtf8: true }).columns.map(judgeRead)
  const statement = withShared(judged) + judged.flatMap(column => [storedValue(column), column.isBad, column.fault])
  const count = (part: string): number => statement.split(part).length - 1
  // With numbers as written, and as the engine reads them.
  expect(count('JSONExtractRaw(')).toBe(2 * columns.length)
  expect(count('replaceRegexpOne(')).toBe(1)
})
