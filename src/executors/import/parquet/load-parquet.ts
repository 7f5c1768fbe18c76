import type { DataSource } from '../../../model/data-source.ts'
import { isSqlError } from '../../../warehouse/warehouse.ts'
import { checkFileColumns } from '../load/file-columns.ts'
import { loadAll } from '../load/load-all.ts'
import { type ContentLoad, countRows, type LoadCounts, startAnew } from '../load/load-content.ts'
import { split, toCounts, trySplit } from '../load/load-sieved.ts'
import { findDamaged } from './damaged-wkb.ts'
import { isGeometry } from './geometry-column.ts'
import type { FileColumn } from './parquet-columns.ts'
import { anyValueReader, mayEndLoad, parquetReader } from './parquet-reader.ts'

type ParquetLoad = ContentLoad & {
  readonly target: DataSource
  readonly columns: readonly FileColumn[]
}

/** Loads Parquet into staging: in one pass if every row fits, else split, else split with dates and geometries that the engine cannot read. */
export const loadParquet = async (load: ParquetLoad): Promise<LoadCounts> => {
  const { place, target, columns } = load
  checkFileColumns(
    target,
    columns.map(({ name }) => name),
  )
  const reader = parquetReader(target, columns, place.spool)
  if ((await loadAll(place, reader)) === 'loaded') {
    const written = await countRows(place)
    return { read: written, written, quarantined: 0, invalid: 0, samples: [] }
  }
  await startAnew(load)
  if (!mayEndLoad(columns)) return toCounts(await split(load, reader))
  const counts = await trySplit(load, reader)
  if (counts !== null) return toCounts(counts)
  await startAnew(load)
  const damaged = await lookAtGeometries(load)
  return toCounts(await split(load, anyValueReader(target, columns, place.spool, { damaged })))
}

/** The table of damaged geometries. null: there are no geometries, or the content cannot be read at all, which the load reports. */
const lookAtGeometries = async ({ place, target, columns }: ParquetLoad): Promise<string | null> => {
  const geometries = columns.filter(({ type }) => isGeometry(type)).map(({ name }) => name)
  if (geometries.length === 0) return null
  const reader = anyValueReader(target, columns, place.spool, { damaged: null })
  try {
    return await findDamaged({ place, reader, columns: geometries })
  } catch (error) {
    if (isSqlError(error)) return null
    throw error
  }
}
