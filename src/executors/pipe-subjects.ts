import { findRole } from '../data/pipes/check-pipe.ts'
import type { Catalogue } from '../model/catalogue.ts'
import { findPipe } from '../model/catalogue-graph.ts'
import type { Subjects } from './kind-definition.ts'

type Names = { readonly pipe: string; readonly node?: string }

/** The subjects of a job that runs a node. The data source is null if the node does not exist. */
export const pipeSubjects = (catalogue: Catalogue, type: 'materialized' | 'copy', names: Names): Subjects => {
  const found = findRole(catalogue, type, names)
  return typeof found === 'string'
    ? { dataSource: null, pipe: findPipe(catalogue, names.pipe)?.name ?? names.pipe }
    : { dataSource: found.role.into, pipe: found.pipe.name }
}
