import { findDataSource } from '../model/catalogue-graph.ts'
import type { DataSource } from '../model/data-source.ts'
import type { Data } from './data.ts'
import { dropDataSource } from './tables/data-sources.ts'
import { tableFigures } from './tables/table-figures.ts'

/** Takes back a data source that was made for what then failed, unless rows or pipes have come to it meanwhile. */
export const dropUnused = async (data: Data, workspace: string, { name, id }: DataSource): Promise<void> => {
  if (findDataSource(await data.catalogue(workspace), name)?.id !== id) return
  const [figures] = await tableFigures(data, workspace, [name])
  if (figures?.rowCount === 0) await dropDataSource(data, workspace, id)
}
