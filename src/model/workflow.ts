import type { Kind } from './kind.ts'
import type { Trigger } from './trigger.ts'

/** Times are epoch milliseconds, durations milliseconds. Ids are UUIDv7 text. */

/**
 * - `active`: its schedule creates runs.
 * - `paused`: no run starts and open ones are held; slots are recorded as skipped.
 * - `terminated`: no automatic runs, only manual ones; `resume` makes it active again.
 */
export const WORKFLOW_STATES = ['active', 'paused', 'terminated'] as const
export type WorkflowState = (typeof WORKFLOW_STATES)[number]

/** A template: what to run, how, when, and where results go. */
export type Workflow = {
  readonly id: string
  readonly workspace: string
  /** Unique in the workspace. */
  readonly name: string
  readonly state: WorkflowState
  /** Incremented by every change of the definition, from 1. */
  readonly version: number
  /** The definition as JSON text; secret values are `"***"`. */
  readonly definition: string
  /** The author's scopes: its jobs never have more. */
  readonly scopes: readonly string[]
  readonly consecutiveFailures: number
  /** null: not terminated because of failures. */
  readonly maxConsecutiveFailures: number | null
  /** When the next slot fires, including its jitter; null: no further slot, or not active. */
  readonly nextRunAt: number | null
  /** Start of its newest run. */
  readonly lastRunAt: number | null
  readonly createdAt: number
  readonly updatedAt: number
}

/**
 * Stored are `pending` (waits for its time or for the run before it), `running`, and the three final ones. A paused run is shown as `pausing` (some items still
 * run) or `paused`. Final statuses never change.
 */
export const RUN_STATUSES = ['pending', 'running', 'pausing', 'paused', 'completed', 'failed', 'terminated'] as const
export type RunStatus = (typeof RUN_STATUSES)[number]
export type EndedRunStatus = 'completed' | 'failed' | 'terminated'
export const ENDED_RUN_STATUSES = ['completed', 'failed', 'terminated'] as const satisfies readonly EndedRunStatus[]

/**
 * Why a run has its status: `scheduled` and `waiting_for_run` while pending, `terminating` until its last item ends, then what ended it. `items_cancelled`: all
 * its items were cancelled one by one.
 */
export const RUN_REASONS = [
  'scheduled',
  'waiting_for_run',
  'terminating',
  'terminated_by_user',
  'workflow_terminated',
  'replaced',
  'items_failed',
  'items_cancelled',
] as const
export type RunReason = (typeof RUN_REASONS)[number]

/**
 * What happens to a slot while an earlier run of the workflow is open. Manual runs ignore it, but count as open.
 * - `skip`: it is recorded as skipped.
 * - `allow`: it runs at the same time.
 * - `queue_one`: it runs afterwards. At most one waits; further slots are skipped.
 * - `cancel_previous`: it runs once the earlier run has stopped. Of several slots until then the latest runs, and the others are skipped.
 */
export const OVERLAPS = ['skip', 'allow', 'queue_one', 'cancel_previous'] as const
export type Overlap = (typeof OVERLAPS)[number]

/** Why a slot did not fire. */
export const SKIP_REASONS = ['overlap', 'paused', 'missed', 'too_many_queued', 'invalid'] as const
export type SkipReason = (typeof SKIP_REASONS)[number]

export type RunCounts = {
  readonly pending: number
  readonly queued: number
  /** Including those being cancelled. */
  readonly running: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

/** One firing of a workflow: the jobs created from its payload. */
export type Run = {
  readonly id: string
  readonly workspace: string
  readonly workflowId: string
  /** The version of the snapshot. A retry of failed items has that of the original run. */
  readonly workflowVersion: number
  readonly trigger: Trigger
  readonly status: RunStatus
  readonly statusReason: RunReason | null
  /** The slot of an automatic run, or the requested time of a delayed manual run. */
  readonly scheduledAt: number | null
  readonly createdAt: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly maxConcurrent: number
  readonly counts: RunCounts
  /** The run whose failed items `retry_failed` runs again. */
  readonly retryOf: string | null
  /** The workflow's definition at that time, as JSON text with masked secrets. */
  readonly snapshot: string
}

/** One fired slot, or consecutive slots skipped for the same reason. */
export type Slot = {
  /** The slot, or the first of several skipped ones. */
  readonly slot: number
  /** The last of them; equals `slot` if there is only one. */
  readonly lastSlot: number
  readonly count: number
  readonly outcome: 'fired' | 'skipped'
  readonly reason: SkipReason | null
  readonly runId: string | null
  /** When it was fired or recorded. */
  readonly recordedAt: number
}

/** A change of a run's status, as sent by `GET /v1/events`. */
export type RunEvent = {
  readonly runId: string
  readonly workflowId: string
  readonly workspace: string
  readonly status: RunStatus
  readonly statusReason: RunReason | null
  readonly timestamp: number
}

/** `alert`: needs attention. `info`: shown only to those who ask for all notifications. */
export type NotificationSeverity = 'alert' | 'info'
export const NOTIFICATION_TYPES = {
  /** The limit of consecutive failures was reached. */
  'workflow.terminated': 'alert',
  'run.failed': 'info',
  /** Tried for a day, or refused for good. */
  'delivery.failed': 'alert',
} as const satisfies Record<string, NotificationSeverity>
export type NotificationType = keyof typeof NOTIFICATION_TYPES

export type Notification = {
  readonly id: string
  readonly workspace: string
  readonly type: NotificationType
  readonly title: string
  readonly message: string
  readonly workflowId: string | null
  readonly runId: string | null
  readonly jobId: string | null
  readonly createdAt: number
  readonly readAt: number | null
}

/** Which notifications a workspace wants to see. */
export const NOTIFICATION_PREFERENCES = ['alerts', 'all', 'none'] as const
export type NotificationPreference = (typeof NOTIFICATION_PREFERENCES)[number]

/** The types that a workspace with this preference is shown and receives as events. */
export const shownTypes = (preference: NotificationPreference): readonly NotificationType[] => {
  if (preference === 'none') return []
  const types = Object.keys(NOTIFICATION_TYPES) as NotificationType[]
  return preference === 'all' ? types : types.filter(type => NOTIFICATION_TYPES[type] === 'alert')
}

/** When a job's end is sent to one of its sinks. The sink itself is in the job's spec under `sinks`. */
export type SinkRule = {
  /** Position in `spec.sinks`. */
  readonly index: number
  /** Also send failed jobs. Cancelled jobs are never sent. */
  readonly onFailure: boolean
}

/**
 * - `pending`: will be tried at `nextTryAt`.
 * - `delivered`: the sink accepted it.
 * - `failed`: given up after a day.
 * - `stopped`: the sink wants no further tries (410), or can never accept it.
 */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed', 'stopped'] as const
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number]

/** The delivery of a finished job to one sink. Every try has the same id (`webhook-id`). */
export type Delivery = {
  readonly id: string
  readonly workspace: string
  readonly jobId: string
  readonly runId: string | null
  readonly workflowId: string | null
  readonly kind: Kind
  /** Position in the job's `spec.sinks`. */
  readonly sinkIndex: number
  readonly status: DeliveryStatus
  readonly tries: number
  readonly createdAt: number
  readonly nextTryAt: number | null
  readonly lastTryAt: number | null
  readonly deliveredAt: number | null
  /** HTTP status of the last try, if there was one. */
  readonly lastStatus: number | null
  readonly lastError: string | null
}
