import { commandDefinition } from './command/definition.ts'
import { copyDefinition } from './copy/definition.ts'
import { deleteDefinition } from './delete/definition.ts'
import { httpDefinition } from './http/definition.ts'
import { importDefinition } from './import/definition.ts'
import type { KindDefinition } from './kind-definition.ts'
import { populateDefinition } from './populate/definition.ts'
import { queryDefinition } from './query/definition.ts'

/** The kinds that every server accepts. Functions (`api`) are added where there is a folder of them. */
export const DEFINITIONS: readonly KindDefinition[] = [
  commandDefinition,
  httpDefinition,
  queryDefinition,
  importDefinition,
  populateDefinition,
  copyDefinition,
  deleteDefinition,
]
