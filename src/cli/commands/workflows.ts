import { commandGroup } from '../command-group.ts'
import type { Define } from '../define.ts'
import { trigger } from './trigger.ts'
import { defineApply } from './workflows/apply.ts'
import { defineDelete } from './workflows/delete.ts'
import { defineList } from './workflows/list.ts'
import { defineRuns } from './workflows/runs.ts'
import { defineSchema } from './workflows/schema.ts'
import { defineShow } from './workflows/show.ts'
import { defineSlots } from './workflows/slots.ts'
import { definePause, defineResume, defineTerminate } from './workflows/state.ts'
import { defineUpcoming } from './workflows/upcoming.ts'

const COMMANDS: Readonly<Record<string, Define>> = {
  list: defineList,
  show: defineShow,
  apply: defineApply,
  trigger,
  runs: defineRuns,
  upcoming: defineUpcoming,
  slots: defineSlots,
  pause: definePause,
  resume: defineResume,
  terminate: defineTerminate,
  delete: defineDelete,
  schema: defineSchema,
}

/** `millrace workflows …`: commands for workflows; default: `list`. */
export const workflows: Define = commandGroup(COMMANDS)
