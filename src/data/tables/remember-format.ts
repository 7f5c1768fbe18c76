import { findDataSource } from '../../model/catalogue-graph.ts'
import type { DataFormat } from '../../model/data-source.ts'
import { changeCatalogue } from '../change-catalogue.ts'
import type { Data } from '../data.ts'

type Filled = { readonly workspace: string; readonly name: string; readonly format: DataFormat }

/** Remembers the format of the last import into a data source. Ignores one that has been dropped. */
export const rememberFormat = async (
  data: Pick<Data, 'store' | 'catalogue'>,
  { workspace, name, format }: Filled,
): Promise<void> => {
  const isKnown = (found: { readonly format: DataFormat | null } | undefined): boolean =>
    found === undefined || found.format === format
  if (isKnown(findDataSource(await data.catalogue(workspace), name))) return
  await changeCatalogue(data, workspace, catalogue => {
    const found = findDataSource(catalogue, name)
    const changes = found === undefined ? [] : [{ type: 'put_data_source' as const, dataSource: { ...found, format } }]
    return { changes, unlessLocked: [], result: null }
  })
}
