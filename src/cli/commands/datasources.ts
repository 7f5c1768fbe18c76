import { commandGroup } from '../command-group.ts'
import type { Define } from '../define.ts'
import { defineAlter } from './datasources/alter.ts'
import { defineCreate } from './datasources/create.ts'
import { defineDrop } from './datasources/drop.ts'
import { defineInfer } from './datasources/infer.ts'
import { defineList } from './datasources/list.ts'
import { defineQuarantine } from './datasources/quarantine.ts'
import { defineShow } from './datasources/show.ts'
import { defineTruncate } from './datasources/truncate.ts'

const COMMANDS: Readonly<Record<string, Define>> = {
  list: defineList,
  show: defineShow,
  infer: defineInfer,
  create: defineCreate,
  alter: defineAlter,
  truncate: defineTruncate,
  drop: defineDrop,
  quarantine: defineQuarantine,
}

/** `millrace datasources …`: commands for data sources; default: `list`. */
export const datasources: Define = commandGroup(COMMANDS)
