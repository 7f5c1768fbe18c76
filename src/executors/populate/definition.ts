import type { KindDefinition } from '../kind-definition.ts'
import { nodeFaults } from '../node-faults.ts'
import { pipeSubjects } from '../pipe-subjects.ts'
import { type PopulateSpec, populateProperties } from './spec.ts'

/** Kind `populate`. Populates of one pipe wait for each other before they take a slot, and for other writers once they run. */
export const populateDefinition: KindDefinition = {
  kind: 'populate',
  properties: populateProperties,
  merges: { environment: false, parameters: false },
  secretMaps: [],
  timeout: { defaultMs: null, maximumMs: null },
  exclusiveKey: body => `populate:${specOf(body).pipe}`,
  subjects: body => ({ dataSource: null, pipe: specOf(body).pipe }),
  subjectsIn: (body, catalogue) => pipeSubjects(catalogue, 'materialized', specOf(body)),
  // A scheduled job may name a pipe that does not exist yet.
  checkIn: async (body, readCatalogue) =>
    'scheduled_at' in body ? [] : nodeFaults(await readCatalogue(), { field: 'populate', names: specOf(body) }),
}

const specOf = (body: Readonly<Record<string, unknown>>) => (body as PopulateSpec).populate
