import type { Staged } from '../../../data/write/write-rows.ts'
import type { DataSource } from '../../../model/data-source.ts'
import { remember } from '../../../warehouse/remember.ts'

/** Cached by data source and number of columns: columns are added but never changed. */
const known = new Map<string, readonly string[]>()

/** The data source to fill, with its types as the engine spells them: `DECIMAL(5,2)`, `timestamp` and `INT` are aliases. */
export const withEngineTypes = async (staged: Staged): Promise<DataSource> => {
  const { target } = staged
  const key = `${target.id} ${target.columns.length}`
  if (!known.has(key)) remember(known, key, await readTypes(staged))
  const types = known.get(key)!
  return { ...target, columns: target.columns.map((column, index) => ({ ...column, type: types[index]! })) }
}

const readTypes = async ({ statements, database, target }: Staged): Promise<readonly string[]> => {
  const rows = await statements.rows<{ name: string; type: string }>({
    database,
    sql: 'SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}',
    parameters: { database, table: target.name },
  })
  const types = new Map(rows.map(({ name, type }) => [name, type]))
  return target.columns.map(({ name }) => types.get(name)!)
}
