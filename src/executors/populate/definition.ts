import type { KindDefinition } from '../kind-definition.ts'
import { nodeJob } from '../node-job.ts'
import { populateProperties } from './spec.ts'

/** Kind `populate`. */
export const populateDefinition: KindDefinition = { ...nodeJob('populate'), properties: populateProperties }
