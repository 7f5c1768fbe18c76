import type { Data } from '../../../data/data.ts'
import { dataSourceFigures } from '../../../data/tables/data-source-figures.ts'
import type { DataSource } from '../../../model/data-source.ts'
import { viewWholeDataSource } from './data-source-view.ts'

/** A data source with its current figures. */
export const showDataSource = async (data: Data, workspace: string, dataSource: DataSource) => {
  const figures = await dataSourceFigures(data, workspace, [dataSource])
  return viewWholeDataSource(await data.catalogue(workspace), dataSource, figures?.get(dataSource.name))
}
