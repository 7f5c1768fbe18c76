import type { KindDefinition } from '../kind-definition.ts'
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
}

const specOf = (body: Readonly<Record<string, unknown>>) => (body as CopySpec).copy
