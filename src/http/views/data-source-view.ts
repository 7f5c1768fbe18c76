import type { DataSourceFigures } from '../../data/tables/data-source-figures.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import type { Catalogue } from '../../model/catalogue.ts'
import { pipesOf } from '../../model/catalogue-graph.ts'
import type { DataSource } from '../../model/data-source.ts'

/** The API's view of a data source. `figures` null: the engine is unreachable. */
export const viewDataSource = (catalogue: Catalogue, dataSource: DataSource, figures: DataSourceFigures | null) => ({
  datasource_id: dataSource.id,
  name: dataSource.name,
  description: dataSource.description,
  schema: dataSource.columns.map(({ jsonPath, ...column }) => ({ ...column, json_path: jsonPath })),
  engine: dataSource.engine,
  sorting_key: dataSource.sortingKey,
  partition_key: dataSource.partitionKey,
  ttl: dataSource.ttl,
  format: dataSource.format,
  row_count: figures?.rowCount ?? null,
  bytes: figures?.bytes ?? null,
  quarantine_rows: figures?.quarantineRows ?? null,
  used_by: pipesOf(catalogue, dataSource.name).map(pipe => pipe.name),
  created_at: toTimestamp(dataSource.createdAt),
  updated_at: toTimestamp(dataSource.updatedAt),
})
