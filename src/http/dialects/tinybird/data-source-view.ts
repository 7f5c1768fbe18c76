import type { TableFigures } from '../../../data/tables/table-figures.ts'
import type { Catalogue } from '../../../model/catalogue.ts'
import { pipesOf } from '../../../model/catalogue-graph.ts'
import type { DataSource } from '../../../model/data-source.ts'
import { wordOfTime } from './words.ts'

/** A data source in jobs and lists. Fields for things that this server does not have (versions, projects, sharing) are present and empty. */
export const viewDataSource = (catalogue: Catalogue, dataSource: DataSource) => ({
  id: dataSource.id,
  name: dataSource.name,
  // ClickHouse's name for the cluster of a single server.
  cluster: 'default',
  tags: {},
  created_at: wordOfTime(dataSource.createdAt),
  updated_at: wordOfTime(dataSource.updatedAt),
  replicated: false,
  version: 0,
  project: null,
  headers: {} as { readonly cached_delimiter?: string },
  shared_with: [],
  engine: {
    engine: dataSource.engine,
    partition_key: dataSource.partitionKey ?? '',
    sorting_key: dataSource.sortingKey ?? '',
  },
  description: dataSource.description ?? '',
  used_by: pipesOf(catalogue, dataSource.name).map(({ id, name }) => ({ id, name })),
  last_commit: { content_sha: '', status: 'changed', path: '' },
  errors_discarded_at: null,
  type: dataSource.format as string | null,
  statistics: null as Statistics | null,
})

/** What `viewDataSource` returns. */
export type DataSourceView = ReturnType<typeof viewDataSource>

type Statistics = { readonly bytes: number; readonly row_count: number }
type Figures = Pick<TableFigures, 'bytes' | 'rowCount'>

/** For lists; `figures` undefined: the engine is unreachable. */
export const viewListedDataSource = (catalogue: Catalogue, dataSource: DataSource, figures: Figures | undefined) => ({
  ...viewDataSource(catalogue, dataSource),
  statistics: figures === undefined ? null : { bytes: figures.bytes, row_count: figures.rowCount },
})

/** A single data source, with its columns. */
export const viewWholeDataSource = (catalogue: Catalogue, dataSource: DataSource, figures: Figures | undefined) => ({
  ...viewListedDataSource(catalogue, dataSource, figures),
  columns: dataSource.columns.map(({ name, type, jsonPath }) => ({
    name,
    normalized_name: name,
    type,
    nullable: type.startsWith('Nullable('),
    jsonpath: jsonPath,
  })),
})
