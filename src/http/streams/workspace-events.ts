import type { Engine } from '../../engine/engine.ts'
import type { JobEvent } from '../../model/job.ts'
import type { Notification, RunEvent } from '../../model/workflow.ts'
import type { Store } from '../../store/store.ts'
import type { App } from '../app.ts'

/** Something that happened in a workspace. */
export type WorkspaceEvent =
  | { readonly group: 'job'; readonly event: JobEvent }
  | { readonly group: 'run'; readonly event: RunEvent }
  /** One that the workspace's preference includes. */
  | { readonly group: 'notification'; readonly event: Notification }

/** The live events of all workspaces. */
export type WorkspaceEvents = {
  /** Subscribes to the events of one workspace. The listener must not throw or block. Returns a function that unsubscribes. */
  subscribe(workspace: string, listener: (event: WorkspaceEvent) => void): () => void
}

type Dependencies = { readonly store: Store; readonly engine: Pick<Engine, 'events'> }
type Listener = (event: WorkspaceEvent) => void

/** Passes on events of jobs and runs, and notifications, until the app closes. */
export const createWorkspaceEvents = (app: App, { store, engine }: Dependencies): WorkspaceEvents => {
  const byWorkspace = new Map<string, Set<Listener>>()
  const tell = (workspace: string, event: WorkspaceEvent): void => {
    for (const listener of byWorkspace.get(workspace) ?? []) listener(event)
  }

  const unsubscribe = store.onSignal(signal => {
    if (signal.type === 'run_events') for (const event of signal.events) tell(event.workspace, { group: 'run', event })
    else if (signal.type === 'notification')
      tell(signal.notification.workspace, { group: 'notification', event: signal.notification })
  })
  app.addHook('onClose', async () => unsubscribe())

  return {
    subscribe: (workspace, listener) => {
      const listeners = byWorkspace.get(workspace) ?? new Set()
      byWorkspace.set(workspace, listeners.add(listener))
      const stopJobs = engine.events.subscribe(workspace, event => listener({ group: 'job', event }))
      return () => {
        stopJobs()
        listeners.delete(listener)
        if (listeners.size === 0 && byWorkspace.get(workspace) === listeners) byWorkspace.delete(workspace)
      }
    },
  }
}
