import type { KindDefinition } from '../kind-definition.ts'
import { queryProperties } from './spec.ts'

/** Kind `query`: one SELECT over the tables of the workspace, its rows as a file. What the SQL may do is judged when it runs. */
export const queryDefinition: KindDefinition = {
  kind: 'query',
  properties: queryProperties,
  merges: { environment: false, parameters: true },
  secretMaps: [],
  timeout: { defaultMs: 3_600_000, maximumMs: null },
}
