import type { KindDefinition } from '../kind-definition.ts'
import { commandProperties } from './spec.ts'

export const commandDefinition: KindDefinition = {
  kind: 'command',
  properties: commandProperties,
  secretMaps: ['environment'],
  timeout: { defaultMs: null, maximumMs: null },
}
