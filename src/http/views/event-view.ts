import { toTimestamp } from '../../kernel/clock.ts'
import { newId } from '../../kernel/ids.ts'
import type { WorkspaceEvent } from '../streams/workspace-events.ts'
import { viewNotification } from './notification-view.ts'

type EventView = ReturnType<typeof makeView>

/** All listeners get the same event with the same id. */
const views = new WeakMap<WorkspaceEvent['event'], EventView>()

/** An event as sent by `GET /v1/events`. */
export const viewEvent = (event: WorkspaceEvent): EventView => {
  const known = views.get(event.event)
  if (known) return known
  const view = makeView(event)
  views.set(event.event, view)
  return view
}

const makeView = ({ group, event }: WorkspaceEvent) => {
  const id = newId()
  if (group === 'notification')
    return {
      id,
      type: `notification.${event.type}`,
      job_id: event.jobId,
      run_id: event.runId,
      workflow_id: event.workflowId,
      status: null,
      status_reason: null,
      timestamp: toTimestamp(event.createdAt),
      notification: viewNotification(event),
    }
  return {
    id,
    type: `${group}.${event.status}`,
    job_id: group === 'job' ? event.jobId : null,
    run_id: event.runId,
    workflow_id: event.workflowId,
    status: event.status,
    status_reason: event.statusReason,
    timestamp: toTimestamp(event.timestamp),
  }
}
