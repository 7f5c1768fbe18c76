/**
 * The life of a job as data. `docs/states.md` and the CHECK constraints of both databases are tested against this file.
 *
 * A status lives in one of two tables: `live` rows move, `ended` rows never change.
 */
export const JOB_STATUSES = {
  /** Not to be claimed yet: scheduled for later, waiting out a backoff, for another job of its exclusive key, for a slot of its run, or for its run to start or go on. Holds no slot. The engine moves it on when the reason ends. */
  pending: { table: 'live', holdsSlot: false },
  /** Due; waits for a worker. The claim moves it on. */
  queued: { table: 'live', holdsSlot: false },
  /** A worker holds its lease. That worker moves it on, or the rescuer once the lease is over. */
  running: { table: 'live', holdsSlot: true },
  /** Stop was asked for; still stopping within its grace. That worker moves it on, or the rescuer. */
  cancelling: { table: 'live', holdsSlot: true },
  /** Ended well. Nobody moves it on. */
  completed: { table: 'ended', holdsSlot: false },
  /** Ended badly, all tries used. Nobody moves it on. */
  failed: { table: 'ended', holdsSlot: false },
  /** Stopped on request. Nobody moves it on. */
  cancelled: { table: 'ended', holdsSlot: false },
} as const

export type JobStatus = keyof typeof JOB_STATUSES
export type LiveStatus = 'pending' | 'queued' | 'running' | 'cancelling'
export type EndedStatus = 'completed' | 'failed' | 'cancelled'

export const LIVE_STATUSES = ['pending', 'queued', 'running', 'cancelling'] as const satisfies readonly LiveStatus[]
export const ENDED_STATUSES = ['completed', 'failed', 'cancelled'] as const satisfies readonly EndedStatus[]

/** Every transition there is, each with who makes it. A transition that is not here is refused by the stores. */
export const TRANSITIONS = [
  { from: 'pending', to: 'queued', name: 'promote', by: 'scheduler' },
  { from: 'pending', to: 'cancelled', name: 'cancel', by: 'user' },
  { from: 'queued', to: 'running', name: 'claim', by: 'worker' },
  { from: 'queued', to: 'pending', name: 'hold', by: 'a paused run' },
  { from: 'queued', to: 'cancelled', name: 'cancel', by: 'user' },
  { from: 'running', to: 'completed', name: 'complete', by: 'worker' },
  { from: 'running', to: 'failed', name: 'fail', by: 'worker or rescuer' },
  { from: 'running', to: 'pending', name: 'retry', by: 'worker or rescuer' },
  { from: 'running', to: 'queued', name: 'release', by: 'worker or rescuer' },
  { from: 'running', to: 'cancelling', name: 'cancel', by: 'user' },
  { from: 'cancelling', to: 'cancelled', name: 'end cancelled', by: 'worker or rescuer' },
  { from: 'cancelling', to: 'completed', name: 'complete published', by: 'worker' },
  { from: 'cancelling', to: 'queued', name: 'release published', by: 'worker or rescuer' },
] as const satisfies readonly { from: JobStatus; to: JobStatus; name: string; by: string }[]

export const isEnded = (status: JobStatus): status is EndedStatus => JOB_STATUSES[status].table === 'ended'

export const canMove = (from: JobStatus, to: JobStatus): boolean =>
  TRANSITIONS.some(transition => transition.from === from && transition.to === to)

/** Why a job is `pending`. */
export const PENDING_REASONS = [
  'scheduled',
  'retry_wait',
  'exclusive_key',
  /** As many items of its run as may run hold a slot. */
  'run_concurrency',
  /** Its run is paused. */
  'run_paused',
  /** Its run has not started. */
  'run_pending',
] as const
export type PendingReason = (typeof PENDING_REASONS)[number]

/** Why a job was cancelled. */
export const CANCEL_REASONS = ['cancelled_by_user', 'run_terminated'] as const
export type CancelReason = (typeof CANCEL_REASONS)[number]
