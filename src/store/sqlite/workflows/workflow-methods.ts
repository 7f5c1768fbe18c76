import type { AnalyticsStore } from '../../analytics-store.ts'
import type { SinkStore } from '../../sink-store.ts'
import type { NewRun, WorkflowStore } from '../../workflow-store.ts'
import { compactBytes } from '../compact-bytes.ts'
import type { Counted } from '../count-stretch.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { Threads } from '../jobs/job-methods.ts'
import { decodeJob, decodeSubmission, encodeJobs } from '../jobs/job-row.ts'
import type { NewRunRows } from '../runs/insert-run.ts'

/** Workflows, schedules, runs and extensions. */
export const workflowMethods = ({ clock, read, write }: Threads): WorkflowStore => {
  const now = () => clock.now()
  return {
    createWorkflow: input => write.call('createWorkflow', { ...input, secrets: compact(input.secrets) }, now()),
    getWorkflow: input => read.call('getWorkflow', input, now()),
    loadWorkflow: input => read.call('loadWorkflow', input, now()),
    listWorkflows: async input => {
      const { found, nextCursor } = await page('workflows', input, search => read.call('listWorkflows', search, now()))
      return { workflows: found, nextCursor }
    },
    countWorkflows: input => total(before => read.call('countWorkflows', { ...input, before }, now())),
    replaceWorkflow: input => write.call('replaceWorkflow', { ...input, secrets: compact(input.secrets) }, now()),
    deleteWorkflow: input => write.call('deleteWorkflow', input, now()),
    pauseWorkflow: input => write.call('pauseWorkflow', input, now()),
    resumeWorkflow: input => write.call('resumeWorkflow', input, now()),
    terminateWorkflow: input => write.call('terminateWorkflow', input, now()),
    listDueWorkflows: input => read.call('listDueWorkflows', input, now()),
    fireWorkflows: fires =>
      write.call(
        'fireWorkflows',
        fires.map(fire => ({ ...fire, run: fire.run && encodeRun(fire.run) })),
        now(),
      ),
    triggerWorkflow: input => write.call('triggerWorkflow', { ...input, run: encodeRun(input.run) }, now()),
    startDueRuns: input => write.call('startDueRuns', input, now()),
    listSlots: async ({ workspace, workflow, limit, cursor }) => {
      const search = { workspace, filters: { workflow }, limit, cursor }
      const { found, nextCursor } = await page('slots', search, ({ before }) =>
        read.call('listSlots', { workspace, workflow, before, limit }, now()),
      )
      return found && { slots: found, nextCursor }
    },
    countSlots: input => total(before => read.call('countSlots', { ...input, before }, now())),
    getRun: input => read.call('getRun', input, now()),
    listRuns: async input => {
      const { found, nextCursor } = await page('runs', input, search => read.call('listRuns', search, now()))
      return { runs: found, nextCursor }
    },
    countRuns: input => total(before => read.call('countRuns', { ...input, before }, now())),
    pauseRun: input => write.call('pauseRun', input, now()),
    resumeRun: input => write.call('resumeRun', input, now()),
    terminateRun: input => write.call('terminateRun', input, now()),
    listFailedItems: async input => {
      const found = await read.call('listFailedItems', input, now())
      return found && { run: found.run, items: found.items.map(decodeSubmission) }
    },
    purgeRuns: input => write.call('purgeRuns', input, now()),
    extendRun: input => write.call('extendRun', { ...input, items: encodeJobs(input.items) }, now()),
    restartTimeout: input => write.call('restartTimeout', input, now()),
    findTimeoutRestart: input => read.call('findTimeoutRestart', input, now()),
  }
}

const compact = (secrets: Uint8Array | null) => secrets && compactBytes(secrets)

const encodeRun = (run: NewRun): NewRunRows => ({ ...run, items: encodeJobs(run.items) })

/** Deliveries, notifications and analytics. */
export const sinkMethods = ({ clock, read, write }: Threads): SinkStore & AnalyticsStore => {
  const now = () => clock.now()
  return {
    claimDeliveries: async input => {
      const { token, rows, nextDueInMs } = await write.call('claimDeliveries', input, now())
      const claimed = rows.map(row => ({ ...row, job: decodeJob(row.job, now()), claimToken: token }))
      return { claimed, nextDueInMs }
    },
    endDeliveries: ends => write.call('endDeliveries', ends, now()),
    getDelivery: input => read.call('getDelivery', input, now()),
    listDeliveries: async input => {
      const { found, nextCursor } = await page('deliveries', input, search =>
        read.call('listDeliveries', search, now()),
      )
      return { deliveries: found, nextCursor }
    },
    countDeliveries: input => total(before => read.call('countDeliveries', { ...input, before }, now())),
    redeliver: input => write.call('redeliver', input, now()),
    purgeDeliveries: input => write.call('purgeDeliveries', input, now()),
    listNotifications: async ({ workspace, unreadOnly, limit, cursor }) => {
      const search = { workspace, filters: { unreadOnly }, limit, cursor }
      const { found, nextCursor } = await page('notifications', search, ({ before }) =>
        read.call('listNotifications', { workspace, unreadOnly, before, limit }, now()),
      )
      return { notifications: found, nextCursor }
    },
    countNotifications: input => total(before => read.call('countNotifications', { ...input, before }, now())),
    markNotificationsRead: input => write.call('markNotificationsRead', input, now()),
    getNotificationPreference: input => read.call('getNotificationPreference', input, now()),
    setNotificationPreference: input => write.call('setNotificationPreference', input, now()),
    purgeNotifications: input => write.call('purgeNotifications', input, now()),
    summarize: input => write.call('summarize', input, now()),
    readAnalytics: input => read.call('readAnalytics', input, now()),
    purgeSums: input => write.call('purgeSums', input, now()),
  }
}

/** Counts a list stretch by stretch. */
const total = async (read: (before: number | null) => Promise<Counted>): Promise<number> => {
  let sum = 0
  for (let before: number | null | undefined; before !== null; ) {
    const { count, next } = await read(before ?? null)
    sum += count
    before = next
  }
  return sum
}

type Search<F> = {
  readonly workspace: string
  readonly filters: F
  readonly limit: number
  readonly cursor: string | null
}
type Page = { readonly found: readonly unknown[]; readonly next: number | null }

/** One page of a list; its cursors are valid only for this list, workspace and filters. */
const page = async <F extends object, P extends Page | null>(
  list: string,
  { workspace, filters, limit, cursor }: Search<F>,
  read: (search: Omit<Search<F>, 'cursor'> & { readonly before: number | null }) => Promise<P>,
): Promise<{ found: NonNullable<P>['found'] | (null extends P ? null : never); nextCursor: string | null }> => {
  const scope = { workspace, filters: { ...filters, list } }
  const before = cursor === null ? null : decodeCursor(scope, cursor)
  const answer = await read({ workspace, filters, limit, before })
  if (answer === null) return { found: null as never, nextCursor: null }
  return { found: answer.found, nextCursor: answer.next === null ? null : encodeCursor(scope, answer.next) }
}
