import { findRole } from '../../data/pipes/check-pipe.ts'
import { UNKNOWN_PARAMETER, unknownOfNode } from '../../data/pipes/unknown-parameters.ts'
import type { KindDefinition } from '../kind-definition.ts'
import { nodeFaults } from '../node-faults.ts'
import { pipeSubjects } from '../pipe-subjects.ts'
import { type CopySpec, copyProperties } from './spec.ts'

/** Kind `copy`. Where its rows go stands in the pipe, so that copies of one pipe wait for each other, and others when they run. */
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
    // What is to run later may be of a pipe that is still to be made.
    if (typeof found === 'string')
      return 'scheduled_at' in body ? [] : nodeFaults(catalogue, { field: 'copy', names: specOf(body) })
    return unknownOfNode(catalogue, found, parameters).map(name => ({
      path: `copy.parameters.${name}`,
      message: UNKNOWN_PARAMETER,
    }))
  },
}

const specOf = (body: Readonly<Record<string, unknown>>) => (body as CopySpec).copy
