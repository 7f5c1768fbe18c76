import { commandGroup } from '../command-group.ts'
import type { Define } from '../define.ts'
import { defineApply } from './pipes/apply.ts'
import { defineDrop } from './pipes/drop.ts'
import { defineList } from './pipes/list.ts'
import { defineShow } from './pipes/show.ts'

const COMMANDS: Readonly<Record<string, Define>> = {
  list: defineList,
  show: defineShow,
  apply: defineApply,
  drop: defineDrop,
}

/** `millrace pipes …`: commands for pipes; default: `list`. */
export const pipes: Define = commandGroup(COMMANDS)
