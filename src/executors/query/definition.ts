import { wrongParameters } from '../../data/pipes/unknown-parameters.ts'
import { exclusiveKeyOf } from '../data-properties.ts'
import type { KindDefinition } from '../kind-definition.ts'
import { type QuerySpec, queryProperties } from './spec.ts'

/** Kind `query`: one SELECT over the tables of the workspace, whose rows become a file or go into a data source. The SQL is checked when it runs. */
export const queryDefinition: KindDefinition = {
  kind: 'query',
  properties: queryProperties,
  merges: { environment: false, parameters: true },
  secretMaps: [],
  timeout: { defaultMs: 3_600_000, maximumMs: null },
  check: ({ datasource, mode, format }) => {
    if (datasource === undefined)
      return mode === undefined
        ? []
        : [{ path: 'mode', message: 'goes with datasource: how its rows join those there' }]
    return format === undefined
      ? []
      : [{ path: 'format', message: 'goes without datasource: rows are put there, in no format' }]
  },
  furtherRight: {
    scope: 'datasources:write',
    because: 'a query with datasource changes the rows of one',
    isTaken: ({ datasource }) => datasource !== undefined,
  },
  exclusiveKey: ({ datasource }) => (datasource === undefined ? null : exclusiveKeyOf(datasource as string)),
  subjects: ({ datasource }) => ({ dataSource: (datasource as string | undefined) ?? null, pipe: null }),
  // Only for a job by itself: a workflow's parameters go to all of its items, and an item need not use every one.
  checkIn: async (body, readCatalogue) => {
    const { query, parameters = {} } = body as QuerySpec
    return wrongParameters(readCatalogue, query, parameters)
  },
}
