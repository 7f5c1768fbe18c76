import type { Job } from '../model/job.ts'
import type { Delivery, DeliveryStatus, Notification, NotificationPreference } from '../model/workflow.ts'

/**
 * The part of the store about what is told to others: the outbox and the notifications. The rules of `store.ts` hold.
 *
 * Deliveries are written by the transaction that ends the job (`NewJob.sinks`): one per sink whose rule matches, none for
 * a cancelled job. So none is lost and none is sent for a job that did not end.
 */
export interface SinkStore {
  /**
   * Takes due deliveries for `leaseMs`, oldest due first; each is one try more. A claim whose lease is over can be claimed
   * again. `nextDueInMs`: until the next becomes due, null when none waits.
   */
  claimDeliveries(input: { limit: number; leaseMs: number }): Promise<{
    claimed: readonly ClaimedDelivery[]
    nextDueInMs: number | null
  }>
  /** Each fenced by its claim's token; a lost claim is ignored. */
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
  /** Makes it pending and due now, with a new day to be tried in. `'pending'`: it is already. */
  redeliver(input: { workspace: string; deliveryId: string }): Promise<'redelivered' | 'pending' | 'not_found'>
  /** Deliveries that are no longer pending and were made before. */
  purgeDeliveries(input: { createdBefore: number; limit: number }): Promise<number>

  /** Newest first, of those the workspace's preference shows. Throws `invalid_cursor`. */
  listNotifications(input: {
    workspace: string
    unreadOnly: boolean
    limit: number
    cursor: string | null
  }): Promise<{ notifications: readonly Notification[]; nextCursor: string | null }>
  countNotifications(input: { workspace: string; unreadOnly: boolean }): Promise<number>
  /** Gives how many became read. `ids: null`: all of the workspace. */
  markNotificationsRead(input: { workspace: string; ids: readonly string[] | null }): Promise<number>
  getNotificationPreference(input: { workspace: string }): Promise<NotificationPreference>
  setNotificationPreference(input: { workspace: string; preference: NotificationPreference }): Promise<void>
  purgeNotifications(input: { createdBefore: number; limit: number }): Promise<number>
}

export type ClaimedDelivery = {
  readonly delivery: Delivery
  readonly claimToken: string
  readonly job: Job
  /** The job's sealed secrets: those of its sinks are at `sinks.<index>.…`. */
  readonly secrets: Uint8Array | null
  /** Since when it has been tried: of the first try, or of the last `redeliver`. */
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
