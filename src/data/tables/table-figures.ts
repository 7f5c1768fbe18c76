import type { Data } from '../data.ts'

export type TableFigures = {
  readonly name: string
  readonly rowCount: number
  /** On disk, compressed. */
  readonly bytes: number
}

/** Rows and bytes of tables in the live database. Missing tables are left out. */
export const tableFigures = async (
  { warehouse }: Pick<Data, 'warehouse'>,
  workspace: string,
  names: readonly string[],
): Promise<readonly TableFigures[]> => {
  const rows = await warehouse.rows<{ name: string; total_rows: string | null; total_bytes: string | null }>({
    workspace,
    sql: `SELECT name, total_rows, total_bytes FROM system.tables
      WHERE database = {database:String} AND has({names:Array(String)}, name)`,
    parameters: { database: warehouse.database(workspace), names },
  })
  return rows.map(({ name, total_rows, total_bytes }) => ({
    name,
    rowCount: Number(total_rows ?? 0),
    bytes: Number(total_bytes ?? 0),
  }))
}
