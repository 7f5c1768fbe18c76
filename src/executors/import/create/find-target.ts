import type { Data } from '../../../data/data.ts'
import { createDataSource } from '../../../data/tables/data-sources.ts'
import { noDataSource } from '../../../data/write/write-rows.ts'
import { MillraceError } from '../../../kernel/errors.ts'
import { findDataSource } from '../../../model/catalogue-graph.ts'
import type { Column, DataSource } from '../../../model/data-source.ts'
import { ImportFailure } from '../import-failure.ts'

type Input = {
  readonly data: Data
  readonly workspace: string
  readonly name: string
  /** The columns to create it with if it is missing. */
  readonly infer: () => Promise<readonly Column[]>
}

export type Target = { readonly dataSource: DataSource; readonly isNew: boolean }

/**
 * The data source of an import, created if missing. Accepts one that somebody else created at the same time. Throws `ImportFailure`, or `MillraceError`
 * `data_busy` or `unavailable`.
 */
export const findOrCreate = async ({ data, workspace, name, infer }: Input): Promise<Target> => {
  const find = async () => findDataSource(await data.catalogue(workspace), name)
  const before = await find()
  if (before !== undefined) return { dataSource: before, isNew: false }
  try {
    return { dataSource: await createDataSource(data, workspace, { name, columns: await infer() }), isNew: true }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    const now = await find()
    if (now !== undefined) return { dataSource: now, isNew: false }
    if (error.code === 'data_busy' || error.code === 'unavailable') throw error
    throw new ImportFailure('schema_mismatch', `The data source ${name} cannot be made: ${error.message}`)
  }
}

/** Throws `ImportFailure` `data_source_not_found`. */
export const requireTarget = async (data: Data, workspace: string, name: string): Promise<void> => {
  if (findDataSource(await data.catalogue(workspace), name) !== undefined) return
  const { reason, message } = noDataSource(name)
  throw new ImportFailure(reason, message)
}
