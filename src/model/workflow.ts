import type { Kind } from './kind.ts'

/** Times are epoch milliseconds, durations milliseconds. Ids are UUIDv7 text. */

/**
 * `active`: its schedule makes runs. `paused`: no run starts and open ones are held; slots are recorded as skipped.
 * `terminated`: no automatic runs, manual ones still; `resume` makes it active again.
 */
export const WORKFLOW_STATES = ['active', 'paused', 'terminated'] as const
export type WorkflowState = (typeof WORKFLOW_STATES)[number]

/** A template: what to run, how, when, and where results go. */
export type Workflow = {
  readonly id: string
  readonly workspace: string
  /** Unique in its workspace. */
  readonly name: string
  readonly state: WorkflowState
  /** Raised by every change of the definition, from 1. */
  readonly version: number
  /** What it was made from, as JSON text; secret values are `"***"`. */
  readonly definition: string
  /** Of its author: its jobs never have more. */
  readonly scopes: readonly string[]
  readonly consecutiveFailures: number
  /** null: never terminated for failures. */
  readonly maxConsecutiveFailures: number | null
  /** When the next slot fires, its jitter included; null: no further slot, or it is not active. */
  readonly nextRunAt: number | null
  /** Start of its newest run. */
  readonly lastRunAt: number | null
  readonly createdAt: number
  readonly updatedAt: number
}

/**
 * Stored: `pending` (waits for its time or for the run before it), `running`, and the three ends. While a run is paused it
 * is shown as `pausing` (some items still run) or `paused`. What has ended never changes.
 */
export const RUN_STATUSES = ['pending', 'running', 'pausing', 'paused', 'completed', 'failed', 'terminated'] as const
export type RunStatus = (typeof RUN_STATUSES)[number]
export type EndedRunStatus = 'completed' | 'failed' | 'terminated'
export const ENDED_RUN_STATUSES = ['completed', 'failed', 'terminated'] as const satisfies readonly EndedRunStatus[]

/**
 * Why a run stands as it does: `scheduled` and `waiting_for_run` while pending, `terminating` from the call to the end of
 * its last item, then who ended it. `items_cancelled`: all its items were cancelled one by one.
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
 * What becomes of a slot while an earlier run of the workflow is open: recorded as skipped, run beside it, run after it (one
 * at most waits; further slots are skipped), or run in its place once it has stopped (of slots that come meanwhile the
 * latest, the others are skipped). Manual runs ignore it, but count as open.
 */
export const OVERLAPS = ['skip', 'allow', 'queue_one', 'cancel_previous'] as const
export type Overlap = (typeof OVERLAPS)[number]

/** Why a slot did not fire. */
export const SKIP_REASONS = ['overlap', 'paused', 'missed', 'too_many_queued', 'invalid'] as const
export type SkipReason = (typeof SKIP_REASONS)[number]

export type RunCounts = {
  readonly pending: number
  readonly queued: number
  /** Cancelling ones included. */
  readonly running: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

/** One firing of a workflow; groups the jobs made from its payload. */
export type Run = {
  readonly id: string
  readonly workspace: string
  readonly workflowId: string
  /** Of the snapshot: a retry of failed items has that of the run they are from. */
  readonly workflowVersion: number
  readonly trigger: 'manual' | 'automatic'
  readonly status: RunStatus
  readonly statusReason: RunReason | null
  /** The slot, for automatic runs; the time asked for, for manual ones triggered for later. */
  readonly scheduledAt: number | null
  readonly createdAt: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly maxConcurrent: number
  readonly counts: RunCounts
  /** `retry_failed` made it from this run's failed items. */
  readonly retryOf: string | null
  /** The workflow's definition as it was, JSON text, secrets masked. */
  readonly snapshot: string
}

/** One slot that fired, or a row of neighbouring slots skipped for one reason. */
export type Slot = {
  /** The slot; of several skipped ones the first. */
  readonly slot: number
  /** The last of them; equals `slot` for one. */
  readonly lastSlot: number
  readonly count: number
  readonly outcome: 'fired' | 'skipped'
  readonly reason: SkipReason | null
  readonly runId: string | null
  /** When it was fired or recorded. */
  readonly recordedAt: number
}

/** A change of a run's status, as `GET /v1/events` tells it. */
export type RunEvent = {
  readonly runId: string
  readonly workflowId: string
  readonly workspace: string
  readonly status: RunStatus
  readonly statusReason: RunReason | null
  readonly timestamp: number
}

/** `alert`: someone should look. `info`: shown only where all are asked for. */
export type NotificationSeverity = 'alert' | 'info'
export const NOTIFICATION_TYPES = {
  /** Its consecutive failures reached the limit. */
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

/** What a workspace of that preference is shown, and told at once. */
export const shownTypes = (preference: NotificationPreference): readonly NotificationType[] => {
  if (preference === 'none') return []
  const types = Object.keys(NOTIFICATION_TYPES) as NotificationType[]
  return preference === 'all' ? types : types.filter(type => NOTIFICATION_TYPES[type] === 'alert')
}

/** The rule by which one sink of a job gets its end; the sink itself stands in the job's spec under `sinks`. */
export type SinkRule = {
  /** Position in `spec.sinks`. */
  readonly index: number
  /** Also told of failed jobs. Cancelled ones are told to nobody. */
  readonly onFailure: boolean
}

/**
 * `pending`: to be tried at `nextTryAt`. `delivered`: the sink took it. `failed`: given up after a day. `stopped`: the
 * sink said that it never wants to hear of it again (410), or can never take it.
 */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed', 'stopped'] as const
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number]

/** A finished job's way to one sink. Its id is the same at every try (`webhook-id`). */
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
  /** HTTP status of the last try, where there was one. */
  readonly lastStatus: number | null
  readonly lastError: string | null
}
