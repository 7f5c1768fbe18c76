import { type DataSource, quarantineOf } from '../../model/data-source.ts'
import { isAway } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import { tableFigures } from './table-figures.ts'

/** What a data source contains now. */
export type DataSourceFigures = {
  readonly rowCount: number
  /** On disk, compressed. */
  readonly bytes: number
  readonly quarantineRows: number
}

export const NO_ROWS: DataSourceFigures = { rowCount: 0, bytes: 0, quarantineRows: 0 }

/**
 * Figures of data sources by name. null: the engine is unreachable, which must not hide what the catalogue knows. For an empty list, the engine is not asked.
 */
export const dataSourceFigures = async (
  data: Data,
  workspace: string,
  dataSources: readonly DataSource[],
): Promise<ReadonlyMap<string, DataSourceFigures> | null> => {
  if (dataSources.length === 0) return new Map()
  try {
    await data.ready(workspace)
    const names = dataSources.flatMap(({ name }) => [name, quarantineOf(name)])
    const tables = new Map((await tableFigures(data, workspace, names)).map(table => [table.name, table]))
    return new Map(
      dataSources.map(({ name }) => {
        const { rowCount, bytes } = tables.get(name) ?? NO_ROWS
        return [name, { rowCount, bytes, quarantineRows: tables.get(quarantineOf(name))?.rowCount ?? 0 }]
      }),
    )
  } catch (error) {
    if (isAway(error)) return null
    throw error
  }
}
