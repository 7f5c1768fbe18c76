import { isSqlError } from '../../../warehouse/warehouse.ts'
import { judgeRead, storedValue, withShared } from './judge-read.ts'
import { CONTENT, loadInput } from './load-input.ts'
import type { LoadPlace } from './load-place.ts'
import type { Reader } from './reader.ts'

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
  const bad = judged.map(({ isBad }) => isBad).filter(isBad => isBad !== '0')
  const where = bad.length === 0 ? '' : `\nWHERE NOT throwIf(${bad.join(' OR ')}, '${BAD_ROW}')`
  try {
    await loadInput({
      ...place,
      reader,
      columns: reader.columns.map(({ column }) => column.name),
      select: `${withShared(judged)}SELECT ${judged.map(storedValue).join(', ')} FROM ${CONTENT}${where}`,
    })
    return 'loaded'
  } catch (error) {
    if (!isSqlError(error)) throw error
    return error.message.includes(BAD_ROW) ? 'some do not fit' : 'unreadable'
  }
}
