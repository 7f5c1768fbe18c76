import { findRole } from '../../data/pipes/check-pipe.ts'
import { UNKNOWN_PARAMETER, unknownOfNode } from '../../data/pipes/unknown-parameters.ts'
import type { KindDefinition } from '../kind-definition.ts'
import { nodeFaults } from '../node-faults.ts'
import { pipeSubjects } from '../pipe-subjects.ts'
import { type CopySpec, copyProperties } from './spec.ts'

/** Kind `copy`. Only the pipe says where the rows go: copies of one pipe wait for each other before they take a slot, and for other writers once they run. */
export const copyDefinition: KindDefinition = {
  kind: 'copy',
  properties: copyProperties,
  merges: { environment: false, parameters: false },
  secretMaps: [],
  timeout: { defaultMs: null, maximumMs: null },
  exclusiveKey: body => `copy:${specOf(body).pipe}`,
  subjects: body => ({ dataSource: null, pipe: specOf(body).pipe }),
  subjectsIn: (body, catalogue) => pipeSubjects(catalogue, 'copy', specOf(body)),
  checkIn: async (body, readCatalogue) => {
    const { parameters = {} } = specOf(body)
    const catalogue = await readCatalogue()
    const found = findRole(catalogue, 'copy', specOf(body))
    // A scheduled job may name a pipe that does not exist yet.
    if (typeof found === 'string')
      return 'scheduled_at' in body ? [] : nodeFaults(catalogue, { field: 'copy', names: specOf(body) })
    return unknownOfNode(catalogue, found, parameters).map(name => ({
      path: `copy.parameters.${name}`,
      message: UNKNOWN_PARAMETER,
    }))
  },
}

const specOf = (body: Readonly<Record<string, unknown>>) => (body as CopySpec).copy
