import type { Staged } from '../../../data/write-rows.ts'
import type { DataSource } from '../../../model/data-source.ts'

/** The data source to fill, its types as the engine writes them: `DECIMAL(5,2)`, `timestamp` and `INT` are other names that it knows. */
export const withEngineTypes = async ({ statements, database, target }: Staged): Promise<DataSource> => {
  const rows = await statements.rows<{ name: string; type: string }>({
    database,
    sql: 'SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}',
    parameters: { database, table: target.name },
  })
  const types = new Map(rows.map(({ name, type }) => [name, type]))
  return { ...target, columns: target.columns.map(column => ({ ...column, type: types.get(column.name)! })) }
}
