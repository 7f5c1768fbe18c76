import type { NotificationText } from '../../../model/notification-text.ts'
import { type Notification, type NotificationPreference, shownTypes } from '../../../model/workflow.ts'
import type { Statement } from '../database.ts'
import type { Work } from '../locks.ts'

const NOTIFY: Statement = {
  name: 'add_notification',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    INSERT INTO millrace.notification (id, workspace, type, title, message, workflow_id, run_id, job_id, created_at)
    SELECT millrace.new_id(clock.now), $2, $3, $4, $5, $6, $7, $8, clock.now
    FROM clock
    RETURNING id, created_at AS "createdAt",
      (SELECT notification_preference FROM millrace.workspace WHERE workspace.id = $2) AS preference`,
}

type About = NotificationText & Pick<Notification, 'workspace' | 'workflowId' | 'runId' | 'jobId'>

/** Stored for later reads, whatever the preference; emitted only if the preference shows it. */
export const notify = async ({ connection, effects, now }: Work, about: About): Promise<void> => {
  const { workspace, type, title, message, workflowId, runId, jobId } = about
  type Row = Pick<Notification, 'id' | 'createdAt'> & { readonly preference: NotificationPreference | null }
  const values = [now, workspace, type, title, message, workflowId, runId, jobId]
  const [row] = await connection.query<Row>(NOTIFY, values)
  const { id, createdAt, preference } = row!
  if (!shownTypes(preference ?? 'alerts').includes(type)) return
  effects.notifications.push({
    id,
    workspace,
    type,
    title,
    message,
    workflowId,
    runId,
    jobId,
    createdAt,
    readAt: null,
  })
}
