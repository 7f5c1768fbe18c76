import { isId } from '../../../kernel/ids.ts'
import { type Notification, type NotificationPreference, shownTypes } from '../../../model/workflow.ts'
import type { Store } from '../../store.ts'
import type { Queryable, Statement } from '../database.ts'
import type { Parameters as QueryParameters } from '../filters.ts'
import { countRows, readPage } from '../page.ts'
import type { Session } from '../session.ts'

const PREFERENCE: Statement = {
  name: 'notification_preference',
  text: 'SELECT notification_preference AS preference FROM millrace.workspace WHERE id = $1',
}

/** Implements `getNotificationPreference`. */
export const getNotificationPreference = async (
  target: Queryable,
  { workspace }: { workspace: string },
): Promise<NotificationPreference> => {
  const [row] = await target.query<{ preference: NotificationPreference }>(PREFERENCE, [workspace])
  return row?.preference ?? 'alerts'
}

const SET_PREFERENCE: Statement = {
  name: 'set_notification_preference',
  text: 'UPDATE millrace.workspace SET notification_preference = $2 WHERE id = $1',
}

/** Implements `setNotificationPreference`. */
export const setNotificationPreference = async (
  session: Session,
  { workspace, preference }: { workspace: string; preference: NotificationPreference },
): Promise<void> => {
  await session.database.query(SET_PREFERENCE, [workspace, preference])
}

type NotificationRow = Notification & { readonly position: number }

/** Implements `listNotifications`. */
export const listNotifications = async (
  target: Queryable,
  { unreadOnly, ...input }: Parameters<Store['listNotifications']>[0],
): ReturnType<Store['listNotifications']> => {
  const asked = { ...input, filters: { list: 'notifications', unreadOnly } }
  const page = await readPage<NotificationRow>(target, asked, await queryOf(target, { ...input, unreadOnly }))
  return { notifications: page.rows.map(({ position: _, ...shown }) => shown), nextCursor: page.nextCursor }
}

/** Implements `countNotifications`. */
export const countNotifications = async (
  target: Queryable,
  input: Parameters<Store['countNotifications']>[0],
): Promise<number> => countRows(target, await queryOf(target, input))

const queryOf = async (target: Queryable, { workspace, unreadOnly }: Parameters<Store['countNotifications']>[0]) => {
  const types = shownTypes(await getNotificationPreference(target, { workspace }))
  return (parameters: QueryParameters, below: string) => `
    SELECT position, id, workspace, type, title, message, workflow_id AS "workflowId", run_id AS "runId",
      job_id AS "jobId", created_at AS "createdAt", read_at AS "readAt"
    FROM millrace.notification
    WHERE workspace = ${parameters.add(workspace)} AND position < ${below}
      AND type = ANY (${parameters.add(types)}::text[]) ${unreadOnly ? 'AND read_at IS NULL' : ''}`
}

const MARK: Statement = {
  name: 'mark_notifications_read',
  text: `
    UPDATE millrace.notification
    SET read_at = millrace.clock($1::bigint)
    WHERE workspace = $2 AND read_at IS NULL AND ($3::uuid[] IS NULL OR id = ANY ($3::uuid[]))
    RETURNING 1`,
}

/** Implements `markNotificationsRead`. */
export const markNotificationsRead = async (
  session: Session,
  { workspace, ids }: { workspace: string; ids: readonly string[] | null },
): Promise<number> => (await session.database.query(MARK, [session.now(), workspace, ids?.filter(isId) ?? null])).length

const PURGE: Statement = {
  name: 'purge_notifications',
  text: `
    WITH old AS MATERIALIZED (
      SELECT id FROM millrace.notification
      WHERE created_at < $1
      ORDER BY created_at, position
      LIMIT $2
      FOR UPDATE SKIP LOCKED
    )
    DELETE FROM millrace.notification WHERE id = ANY (ARRAY(SELECT id FROM old)) RETURNING 1`,
}

/** Implements `purgeNotifications`. */
export const purgeNotifications = async (
  session: Session,
  { createdBefore, limit }: { createdBefore: number; limit: number },
): Promise<number> => (await session.database.query(PURGE, [createdBefore, limit])).length
