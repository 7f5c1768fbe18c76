import type { Delivery, NotificationType } from './workflow.ts'

/** The text of a notification: a title, and a sentence or two. Both stores use it. */
export type NotificationText = {
  readonly type: NotificationType
  readonly title: string
  readonly message: string
}

export const workflowTerminated = (workflow: {
  readonly name: string
  readonly failures: number
}): NotificationText => ({
  type: 'workflow.terminated',
  title: `Workflow ${workflow.name} was terminated`,
  message: `${workflow.failures} of its runs failed one after the other. It makes no automatic runs until it is resumed.`,
})

export const runFailed = (run: {
  readonly workflowName: string | null
  readonly failed: number
  readonly items: number
}): NotificationText => ({
  type: 'run.failed',
  title: run.workflowName === null ? 'A run failed' : `A run of ${run.workflowName} failed`,
  message: `${run.failed} of its ${run.items} items failed.`,
})

const tried = (tries: number): string => (tries === 1 ? 'Tried once.' : `Tried ${tries} times.`)

export const deliveryFailed = (delivery: {
  readonly status: Extract<Delivery['status'], 'failed' | 'stopped'>
  readonly tries: number
  readonly lastError: string | null
}): NotificationText => ({
  type: 'delivery.failed',
  title: delivery.status === 'stopped' ? 'A sink refused a delivery for good' : 'A delivery was given up',
  message: `${tried(delivery.tries)} ${delivery.lastError ?? ''}`.trim(),
})
