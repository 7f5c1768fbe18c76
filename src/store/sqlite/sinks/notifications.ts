import { newId } from '../../../kernel/ids.ts'
import { type Notification, type NotificationPreference, shownTypes } from '../../../model/workflow.ts'
import { type Counted, countStretch } from '../count-stretch.ts'
import type { Database } from '../database.ts'
import { pageOf } from '../page.ts'
import type { Reader } from '../reader.ts'
import type { Writer } from '../writer.ts'

type NewNotification = Omit<Notification, 'id' | 'createdAt' | 'readAt'>

/** Stored for later reads, whatever the preference; emitted only if the preference shows it. */
export const notify = (writer: Writer, about: NewNotification): void => {
  const { db, now, effects } = writer
  const notification: Notification = { ...about, id: newId(), createdAt: now, readAt: null }
  const { id, workspace, type, title, message, workflowId, runId, jobId } = notification
  db.run(
    `INSERT INTO notification (id, workspace, type, title, message, workflow_id, run_id, job_id, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    workspace,
    type,
    title,
    message,
    workflowId,
    runId,
    jobId,
    now,
  )
  if (shownTypes(readPreference(db, workspace)).includes(type)) effects.notification(notification)
}

const readPreference = (db: Database, workspace: string): NotificationPreference =>
  db.get<[NotificationPreference]>('SELECT notification_preference FROM workspace WHERE id = ?', workspace)?.[0] ??
  'alerts'

type ListNotifications = {
  readonly workspace: string
  readonly unreadOnly: boolean
  readonly before: number | null
  readonly limit: number
}
type Row = readonly unknown[]

export const listNotifications = ({ db }: Reader, { workspace, unreadOnly, before, limit }: ListNotifications) => {
  const types = JSON.stringify(shownTypes(readPreference(db, workspace)))
  const unread = unreadOnly ? 'AND read_at IS NULL' : ''
  const rows = db.all<[number, ...Row]>(
    `SELECT position, id, workspace, type, title, message, workflow_id, run_id, job_id, created_at, read_at
     FROM notification WHERE workspace = ? AND position < ? AND type IN (SELECT value FROM json_each(?)) ${unread}
     ORDER BY position DESC LIMIT ?`,
    workspace,
    before ?? Number.MAX_SAFE_INTEGER,
    types,
    limit + 1,
  )
  const { found, next } = pageOf(rows, limit, ([position]) => position)
  return { found: found.map(decode), next }
}

export const countNotifications = (
  { db }: Reader,
  { workspace, unreadOnly, before }: Omit<ListNotifications, 'limit'>,
): Counted =>
  countStretch(db, {
    from: 'notification',
    position: 'position',
    within: { sql: 'workspace = ?', values: [workspace] },
    condition: {
      sql: `type IN (SELECT value FROM json_each(?)) ${unreadOnly ? 'AND read_at IS NULL' : ''}`,
      values: [JSON.stringify(shownTypes(readPreference(db, workspace)))],
    },
    before,
  })

const decode = (row: Row): Notification => {
  const [, id, workspace, type, title, message, workflowId, runId, jobId, createdAt, readAt] = row
  return { id, workspace, type, title, message, workflowId, runId, jobId, createdAt, readAt } as Notification
}

type MarkRead = { readonly workspace: string; readonly ids: readonly string[] | null }

export const markNotificationsRead = ({ db, now }: Writer, { workspace, ids }: MarkRead): number =>
  ids === null
    ? db.run('UPDATE notification SET read_at = ? WHERE workspace = ? AND read_at IS NULL', now, workspace)
    : db.run(
        `UPDATE notification SET read_at = ? WHERE id IN (SELECT value FROM json_each(?)) AND workspace = ? AND read_at IS NULL`,
        now,
        JSON.stringify(ids),
        workspace,
      )

export const getNotificationPreference = ({ db }: Reader, { workspace }: { workspace: string }) =>
  readPreference(db, workspace)

type SetPreference = { readonly workspace: string; readonly preference: NotificationPreference }

export const setNotificationPreference = ({ db }: Writer, { workspace, preference }: SetPreference): void => {
  db.run('UPDATE workspace SET notification_preference = ? WHERE id = ?', preference, workspace)
}

type Purge = { readonly createdBefore: number; readonly limit: number }

export const purgeNotifications = ({ db }: Writer, { createdBefore, limit }: Purge): number =>
  db.run(
    `DELETE FROM notification WHERE position IN
       (SELECT position FROM notification WHERE created_at < ? ORDER BY created_at LIMIT ?)`,
    createdBefore,
    limit,
  )
