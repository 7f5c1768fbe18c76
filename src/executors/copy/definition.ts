import { findRole } from '../../data/pipes/check-pipe.ts'
import { UNKNOWN_PARAMETER, unknownOfNode } from '../../data/pipes/unknown-parameters.ts'
import type { KindDefinition } from '../kind-definition.ts'
import { nodeJob } from '../node-job.ts'
import { type CopySpec, copyProperties } from './spec.ts'

const common = nodeJob('copy')

/** Kind `copy`. */
export const copyDefinition: KindDefinition = {
  ...common,
  properties: copyProperties,
  checkIn: async (body, readCatalogue) => {
    const { copy } = body as CopySpec
    const catalogue = await readCatalogue()
    const found = findRole(catalogue, 'copy', copy)
    if (typeof found === 'string') return common.checkIn(body, readCatalogue)
    return unknownOfNode(catalogue, found, copy.parameters ?? {}).map(name => ({
      path: `copy.parameters.${name}`,
      message: UNKNOWN_PARAMETER,
    }))
  },
}
