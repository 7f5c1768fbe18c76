import { isSqlError } from '../../../warehouse/warehouse.ts'
import { type JudgedColumn, judgeRead, storedValue, withShared } from './judge-read.ts'
import { CONTENT, loadInput } from './load-input.ts'
import type { LoadPlace } from './load-place.ts'
import type { ReadColumn, Reader } from './reader.ts'

/** The message of `throwIf` for a row that does not fit. */
const BAD_ROW = 'millrace: a row does not fit'

/**
 * Loads content whose rows all fit, in one pass. Otherwise stops at the first row that does not fit or cannot be read; some of the rows may then be in the
 * table. Throws `WarehouseError` for all errors that are not about the statement and its content.
 */
export const loadAll = async (
  place: LoadPlace,
  reader: Reader,
): Promise<'loaded' | 'some do not fit' | 'unreadable'> => {
  const judged = reader.columns.map(judgeRead)
  const bad = judged.flatMap(({ isBad, read }) => (isBad === '0' || isConverted(read) ? [] : [isBad]))
  const where = bad.length === 0 ? '' : `\nWHERE NOT ${throwIf(bad.join(' OR '))}`
  try {
    await loadInput({
      ...place,
      reader,
      columns: reader.columns.map(({ column }) => column.name),
      select: `${withShared(judged)}SELECT ${judged.map(checkedValue).join(', ')} FROM ${CONTENT}${where}`,
    })
    return 'loaded'
  } catch (error) {
    if (!isSqlError(error)) throw error
    return error.message.includes(BAD_ROW) ? 'some do not fit' : 'unreadable'
  }
}

/**
 * SQL: the value for the column. A converted value is checked here: in WHERE, the engine would make texts of all the values, because this needs them as well
 * and each is computed once.
 */
const checkedValue = (column: JudgedColumn): string =>
  isConverted(column.read)
    ? storedValue({ ...column, value: `if(${throwIf(column.isBad)}, NULL, ${column.value})` })
    : storedValue(column)

const isConverted = ({ converted = null }: ReadColumn): boolean => converted !== null

const throwIf = (condition: string): string => `throwIf(${condition}, '${BAD_ROW}')`
