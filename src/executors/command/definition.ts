import type { KindDefinition } from '../kind-definition.ts'
import { commandProperties } from './spec.ts'

export const commandDefinition: KindDefinition = {
  kind: 'command',
  properties: commandProperties,
  merges: { environment: true, parameters: false },
  secretMaps: ['environment'],
  timeout: { defaultMs: null, maximumMs: null },
}
