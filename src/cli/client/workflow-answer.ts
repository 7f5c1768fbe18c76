import type {
  DeliveryStatus,
  NotificationPreference,
  NotificationSeverity,
  NotificationType,
  RunCounts,
  RunStatus,
  SkipReason,
  WorkflowState,
} from '../../model/workflow.ts'

/** The fields of a workflow in the API's answers that the command line shows (`docs/api/workflows.md`); the others are its definition. */
export type WorkflowAnswer = {
  readonly workflow_id: string
  readonly name: string
  readonly state: WorkflowState
  readonly version: number
  readonly consecutive_failures: number
  /** The number of job bodies in the payload. */
  readonly items: number
  readonly max_consecutive_failures?: number | null
  readonly next_run_at: string | null
  readonly last_run_at: string | null
  readonly created_at: string
  readonly updated_at: string
  readonly description?: string
  readonly schedule?: Readonly<Record<string, unknown>> | null
  readonly labels?: Readonly<Record<string, string>> | null
}

export type RunAnswer = {
  readonly run_id: string
  readonly workflow_id: string
  readonly workflow_version: number
  readonly trigger: 'manual' | 'automatic'
  readonly status: RunStatus
  readonly status_reason: string | null
  readonly scheduled_at: string | null
  readonly created_at: string
  readonly started_at: string | null
  readonly finished_at: string | null
  readonly counts: RunCounts
  readonly retry_of: string | null
}

export type TriggerAnswer = { readonly run_id: string; readonly status: RunStatus }

export type RetriedAnswer = TriggerAnswer & { readonly items_purged: number }

export type SlotAnswer = {
  readonly slot: string
  readonly last_slot: string
  readonly count: number
  readonly outcome: 'fired' | 'skipped'
  readonly reason: SkipReason | null
  readonly run_id: string | null
  readonly recorded_at: string
}

export type UpcomingSlot = { readonly slot: string; readonly fire_at: string }

export type UpcomingAnswer = { readonly state: WorkflowState; readonly slots: readonly UpcomingSlot[] }

export type NotificationAnswer = {
  readonly notification_id: string
  readonly type: NotificationType
  readonly severity: NotificationSeverity
  readonly title: string
  readonly message: string
  readonly created_at: string
  readonly read_at: string | null
}

export type PreferenceAnswer = { readonly preference: NotificationPreference }

export type DeliveryAnswer = {
  readonly delivery_id: string
  readonly job_id: string
  readonly run_id: string | null
  readonly status: DeliveryStatus
  readonly tries: number
  readonly created_at: string
  readonly next_try_at: string | null
  readonly last_status: number | null
  readonly last_error: string | null
}

type Quantiles = { readonly p50: number | null; readonly p95: number | null; readonly p99: number | null }

export type Figures = {
  readonly jobs: { readonly completed: number; readonly failed: number; readonly cancelled: number }
  readonly success_rate: number | null
  readonly wait_ms: Quantiles
  readonly run_ms: Quantiles
  readonly log_lines: number
  readonly lateness_ms: Quantiles
  readonly slots: { readonly fired: number; readonly skipped: number }
}

export type AnalyticsAnswer = {
  readonly from: string
  readonly to: string
  readonly total: Figures
  readonly workflows: readonly (Figures & { readonly workflow_id: string | null; readonly name: string | null })[]
  readonly trend: { readonly unit: 'hour' | 'day'; readonly points: readonly (Figures & { readonly start: string })[] }
}
