import type { Job } from '../model/job.ts'
import type { Delivery, DeliveryStatus, Notification, NotificationPreference } from '../model/workflow.ts'

/**
 * Outgoing messages: the outbox of deliveries, and notifications. The rules of `store.ts` apply.
 *
 * Deliveries are written by the transaction that ends the job (`NewJob.sinks`): one per sink whose rule matches, none for a cancelled job. So none is
 * lost, and none is sent for a job that has not ended.
 */
export interface SinkStore {
  /**
   * Claims due deliveries for `leaseMs`, oldest due first; each claim counts as a try. An expired claim can be claimed again. `nextDueInMs`: time
   * until the next one is due, null if none is waiting.
   */
  claimDeliveries(input: { limit: number; leaseMs: number }): Promise<{
    claimed: readonly ClaimedDelivery[]
    nextDueInMs: number | null
  }>
  /** Each end is fenced by its claim token; ends of lost claims are ignored. */
  endDeliveries(ends: readonly DeliveryEnd[]): Promise<void>
  getDelivery(input: { workspace: string; deliveryId: string }): Promise<Delivery | null>
  /** Newest first. Throws `invalid_cursor`. */
  listDeliveries(input: {
    workspace: string
    filters: DeliveryFilters
    limit: number
    cursor: string | null
  }): Promise<{ deliveries: readonly Delivery[]; nextCursor: string | null }>
  countDeliveries(input: { workspace: string; filters: DeliveryFilters }): Promise<number>
  /** Makes it pending and due now, and restarts its day of tries. `'pending'`: it already is. */
  redeliver(input: { workspace: string; deliveryId: string }): Promise<'redelivered' | 'pending' | 'not_found'>
  /** Deletes deliveries that are no longer pending and were created before `createdBefore`. */
  purgeDeliveries(input: { createdBefore: number; limit: number }): Promise<number>

  /** Newest first, only those the workspace's preference shows. Throws `invalid_cursor`. */
  listNotifications(input: {
    workspace: string
    unreadOnly: boolean
    limit: number
    cursor: string | null
  }): Promise<{ notifications: readonly Notification[]; nextCursor: string | null }>
  countNotifications(input: { workspace: string; unreadOnly: boolean }): Promise<number>
  /** Returns how many were marked read. `ids: null`: all in the workspace. */
  markNotificationsRead(input: { workspace: string; ids: readonly string[] | null }): Promise<number>
  getNotificationPreference(input: { workspace: string }): Promise<NotificationPreference>
  setNotificationPreference(input: { workspace: string; preference: NotificationPreference }): Promise<void>
  purgeNotifications(input: { createdBefore: number; limit: number }): Promise<number>
}

export type ClaimedDelivery = {
  readonly delivery: Delivery
  readonly claimToken: string
  readonly job: Job
  /** The job's sealed secrets; those of its sinks are at `sinks.<index>.…`. */
  readonly secrets: Uint8Array | null
  /** Start of the current series of tries: the first try, or the last `redeliver`. */
  readonly firstTryAt: number
}

export type DeliveryEnd = {
  readonly deliveryId: string
  readonly claimToken: string
  readonly lastStatus: number | null
  readonly lastError: string | null
  readonly outcome:
    | { readonly type: 'delivered' | 'stopped' | 'failed' }
    | { readonly type: 'retry'; readonly delayMs: number }
}

export type DeliveryFilters = {
  readonly status?: readonly DeliveryStatus[]
  readonly jobId?: string
  readonly runId?: string
  readonly workflowId?: string
}
