import type { JobEvent } from '../model/job.ts'
import { isEnded } from '../model/job-status.ts'
import type { Store } from '../store/store.ts'
import type { JobEvents } from './engine.ts'

type Listener = (event: JobEvent) => void

/** While waiting for an end, poll the store at this interval, because hints may be lost. */
const LOOK_EVERY_MS = 2_000

/** Distributes status changes to listeners in this process. */
export const createJobEvents = (store: Store): JobEvents & { close(): void } => {
  const byWorkspace = new Map<string, Set<Listener>>()
  const missed = new Set<() => void>()

  const unsubscribe = store.onSignal(signal => {
    if (signal.type === 'missed_events') for (const listener of missed) listener()
    if (signal.type !== 'events' || byWorkspace.size === 0) return
    for (const event of signal.events) {
      for (const listener of byWorkspace.get(event.workspace) ?? []) listener(event)
    }
  })

  const subscribe: JobEvents['subscribe'] = (workspace, listener) => {
    const listeners = byWorkspace.get(workspace) ?? new Set()
    byWorkspace.set(workspace, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && byWorkspace.get(workspace) === listeners) byWorkspace.delete(workspace)
    }
  }

  const waitForEnd: JobEvents['waitForEnd'] = ({ workspace, jobId, timeoutMs, signal }) =>
    new Promise((resolve, reject) => {
      const look = async (): Promise<void> => {
        const job = await store.getJob({ workspace, jobId })
        if (job === null || isEnded(job.status)) done()
      }
      const lookAgain = (): void => void look().catch(fail)
      const stopListening = subscribe(workspace, event => {
        if (event.jobId === jobId && isEnded(event.status)) done()
      })
      const timer = setTimeout(() => done(), timeoutMs)
      const poll = setInterval(lookAgain, LOOK_EVERY_MS)
      const cleanUp = (): void => {
        stopListening()
        missed.delete(lookAgain)
        signal?.removeEventListener('abort', done)
        clearTimeout(timer)
        clearInterval(poll)
      }
      const done = (): void => {
        cleanUp()
        resolve()
      }
      const fail = (error: unknown): void => {
        cleanUp()
        reject(error)
      }
      if (signal?.aborted) return done()
      missed.add(lookAgain)
      signal?.addEventListener('abort', done)
      lookAgain()
    })

  return { subscribe, waitForEnd, close: unsubscribe }
}
