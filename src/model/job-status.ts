/**
 * The life cycle of a job as data. `docs/states.md` and the CHECK constraints of both databases are tested against this file. `live` rows move between
 * statuses; `ended` rows never change.
 */
export const JOB_STATUSES = {
  /**
   * Cannot be claimed yet: scheduled for later, backing off, or waiting for another job with its exclusive key, for a slot of its run, or for its run to start
   * or resume. Holds no slot. The engine moves it on when the reason ends.
   */
  pending: { table: 'live', holdsSlot: false },
  /** Due, waiting for a worker. A claim moves it on. */
  queued: { table: 'live', holdsSlot: false },
  /** A worker holds its lease. That worker moves it on, or the rescuer after the lease has expired. */
  running: { table: 'live', holdsSlot: true },
  /** Asked to stop, and still within its grace period. Its worker moves it on, or the rescuer. */
  cancelling: { table: 'live', holdsSlot: true },
  /** Succeeded. Final. */
  completed: { table: 'ended', holdsSlot: false },
  /** Failed, with no tries left. Final. */
  failed: { table: 'ended', holdsSlot: false },
  /** Stopped on request. Final. */
  cancelled: { table: 'ended', holdsSlot: false },
} as const

export type JobStatus = keyof typeof JOB_STATUSES
export type LiveStatus = 'pending' | 'queued' | 'running' | 'cancelling'
export type EndedStatus = 'completed' | 'failed' | 'cancelled'

export const LIVE_STATUSES = ['pending', 'queued', 'running', 'cancelling'] as const satisfies readonly LiveStatus[]
export const ENDED_STATUSES = ['completed', 'failed', 'cancelled'] as const satisfies readonly EndedStatus[]

/** Every allowed transition, and who makes it. The stores refuse all others. */
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
  /** Its run already has as many running items as it may. */
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
