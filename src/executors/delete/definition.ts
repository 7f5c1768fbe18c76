import { exclusiveKeyOf } from '../data-properties.ts'
import type { KindDefinition } from '../kind-definition.ts'
import { type DeleteSpec, deleteProperties } from './spec.ts'

/** Kind `delete`. */
export const deleteDefinition: KindDefinition = {
  kind: 'delete',
  properties: deleteProperties,
  merges: { environment: false, parameters: false },
  secretMaps: [],
  timeout: { defaultMs: null, maximumMs: null },
  exclusiveKey: body => exclusiveKeyOf(specOf(body).datasource),
  subjects: body => ({ dataSource: specOf(body).datasource, pipe: null }),
}

const specOf = (body: Readonly<Record<string, unknown>>) => (body as DeleteSpec).delete
