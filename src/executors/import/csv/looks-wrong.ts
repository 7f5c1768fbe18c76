import type { DataSource } from '../../../model/data-source.ts'
import { readColumnType } from '../load/column-type.ts'
import type { SampleRecord } from './read-fields.ts'

/**
 * Whether one of the first records clearly has an invalid value, so that loading all rows in one pass would fail. Only a hint, to save time: the engine
 * decides.
 */
export const looksWrong = (
  records: readonly SampleRecord[],
  names: readonly string[],
  target: Pick<DataSource, 'columns'>,
): boolean => {
  const types = new Map(target.columns.map(({ name, type }) => [name, readColumnType(type)]))
  return names.some((name, index) => {
    const type = types.get(name)
    if (type === undefined || !HAS_DIGITS.test(type.name)) return false
    return records.some(({ fields }) => {
      const text = fields[index]?.text ?? ''
      return text === '' || text === '\\N' ? !type.nullable : !LIKE_VALUE.test(text)
    })
  })
}

const HAS_DIGITS = /^(U?Int\d+|Float(32|64)|Decimal\d*|Date(32|Time|Time64)?)$/

const LIKE_VALUE = /\d|inf|nan/i
