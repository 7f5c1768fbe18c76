import { styleText } from 'node:util'
import type { JobStatus } from '../../model/job-status.ts'
import type { DeliveryStatus, RunStatus, WorkflowState } from '../../model/workflow.ts'

type Style = Parameters<typeof styleText>[0]

/** Colours only on a terminal, and never if NO_COLOR is set. */
export const paint = (stream: NodeJS.WriteStream, style: Style, text: string): string =>
  styleText(style, text, { stream, validateStream: true })

/** The colour of each status, wherever it is shown. */
export const STATUS_STYLE = {
  pending: 'gray',
  queued: 'blue',
  running: 'cyan',
  cancelling: 'yellow',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
} as const satisfies Record<JobStatus, Style>

/** The same for runs. */
export const RUN_STYLE = {
  pending: 'gray',
  running: 'cyan',
  pausing: 'yellow',
  paused: 'yellow',
  completed: 'green',
  failed: 'red',
  terminated: 'yellow',
} as const satisfies Record<RunStatus, Style>

/** The same for workflows. */
export const STATE_STYLE = {
  active: 'green',
  paused: 'yellow',
  terminated: 'red',
} as const satisfies Record<WorkflowState, Style>

/** The same for deliveries. */
export const DELIVERY_STYLE = {
  pending: 'cyan',
  delivered: 'green',
  failed: 'red',
  stopped: 'yellow',
} as const satisfies Record<DeliveryStatus, Style>
