import { nullableTimestamp, toTimestamp } from '../../kernel/clock.ts'
import { NOTIFICATION_TYPES, type Notification } from '../../model/workflow.ts'

/** The API's view of a notification, in lists and events. */
export const viewNotification = (notification: Notification) => ({
  notification_id: notification.id,
  type: notification.type,
  severity: NOTIFICATION_TYPES[notification.type],
  title: notification.title,
  message: notification.message,
  workflow_id: notification.workflowId,
  run_id: notification.runId,
  job_id: notification.jobId,
  created_at: toTimestamp(notification.createdAt),
  read_at: nullableTimestamp(notification.readAt),
})
