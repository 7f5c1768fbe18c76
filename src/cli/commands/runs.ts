import { commandGroup } from '../command-group.ts'
import type { Define } from '../define.ts'
import { defineJobs } from './runs/jobs.ts'
import { defineList } from './runs/list.ts'
import { defineRetryFailed } from './runs/retry-failed.ts'
import { defineShow } from './runs/show.ts'
import { definePause, defineResume, defineTerminate } from './runs/state.ts'
import { defineWatch } from './runs/watch.ts'

const COMMANDS: Readonly<Record<string, Define>> = {
  list: defineList,
  show: defineShow,
  jobs: defineJobs,
  watch: defineWatch,
  pause: definePause,
  resume: defineResume,
  terminate: defineTerminate,
  'retry-failed': defineRetryFailed,
}

/** `millrace runs …`: commands for runs; default: `list`. */
export const runs: Define = commandGroup(COMMANDS)
