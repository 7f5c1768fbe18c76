import type { Clock } from '../../kernel/clock.ts'
import { once } from '../../kernel/once.ts'
import type { Store, StoreSignal } from '../store.ts'
import { dataMethods } from './data/data-methods.ts'
import { jobMethods, type Threads } from './jobs/job-methods.ts'
import { createLeaseClock } from './jobs/lease-clock.ts'
import type { READS } from './reads.ts'
import type { Effects } from './threads/calls.ts'
import { DatabaseThread } from './threads/database-thread.ts'
import { sinkMethods, workflowMethods } from './workflows/workflow-methods.ts'
import { decodeEvents } from './writer.ts'
import type { WRITES } from './writes.ts'

type Listeners = Set<(signal: StoreSignal) => void>

/**
 * Opens the store in the file `path`, creating it if missing; its directory must exist. Only one server process can have it open: others are refused.
 * Rejects if the file was written by a newer program.
 */
export const openSqliteStore = async (options: { path: string; clock: Clock }): Promise<Store> => {
  const { path, clock } = options
  const listeners: Listeners = new Set()
  const write = new DatabaseThread<typeof WRITES>({
    name: 'writer',
    path,
    onEffects: effects => emit(listeners, effects),
  })
  const read = new DatabaseThread<typeof READS>({ name: 'reader', path })
  try {
    // Both threads load their code in parallel; the writer creates the tables before the reader opens the database.
    await write.open()
    await read.open()
    return createStore({ clock, leaseNow: createLeaseClock(clock), write, read }, listeners)
  } catch (error) {
    await Promise.all([read.close(), write.close()])
    throw error
  }
}

const emit = (listeners: Listeners, effects: Effects): void => {
  if (listeners.size === 0) return
  const signals: StoreSignal[] = effects.hints.map(type => ({ type }))
  if (effects.events !== '') signals.push(eventsSignal(effects.events))
  if (effects.runEvents.length > 0) signals.push({ type: 'run_events', events: effects.runEvents })
  for (const notification of effects.notifications) signals.push({ type: 'notification', notification })
  for (const signal of signals) for (const listener of listeners) listener(signal)
}

/** Decodes lazily: most of the time nobody reads the events. */
const eventsSignal = (text: string): StoreSignal => {
  const events = once(() => decodeEvents(text))
  return {
    type: 'events',
    get events() {
      return events()
    },
  }
}

const createStore = (threads: Threads, listeners: Listeners): Store => {
  const { clock, leaseNow } = threads
  const write: typeof threads.write.call = (operation, input, now) => threads.write.call(operation, input, now)
  const read: typeof threads.read.call = (operation, input, now) => threads.read.call(operation, input, now)
  const now = () => clock.now()
  return {
    ...jobMethods(threads),
    ...workflowMethods(threads),
    ...sinkMethods(threads),
    ...dataMethods(threads),
    renewLeases: input => write('renewLeases', { ...input, leaseNow: leaseNow() }, now()),
    listCancelling: input => read('listCancelling', input, now()),
    listLostAttempts: input => write('listLostAttempts', { ...input, leaseNow: leaseNow() }, now()),
    promoteDueJobs: input => write('promoteDueJobs', input, now()),
    now: async () => now(),
    listAttempts: input => read('listAttempts', input, now()),
    setProgress: input => write('setProgress', input, now()),
    getResult: input => read('getResult', input, now()),
    purgeResults: input => write('purgeResults', input, now()),
    purgeJob: input => write('purgeJob', input, now()),
    listLogParts: input => read('listLogParts', input, now()),
    addArtifact: input => write('addArtifact', input, now()),
    replaceBlob: input => write('replaceBlob', input, now()),
    listArtifacts: input => read('listArtifacts', input, now()),
    getArtifact: input => read('getArtifact', input, now()),
    listDoomedBlobs: input => read('listDoomedBlobs', input, now()),
    forgetDoomedBlobs: input => write('forgetDoomedBlobs', input, now()),
    filterKnownBlobs: input => read('filterKnownBlobs', input, now()),
    beginIdempotent: input => write('beginIdempotent', input, now()),
    renewIdempotent: input => write('renewIdempotent', input, now()),
    finishIdempotent: input => write('finishIdempotent', input, now()),
    purgeEndedJobs: input => write('purgeEndedJobs', input, now()),
    purgeLogs: input => write('purgeLogs', input, now()),
    purgeIdempotency: input => write('purgeIdempotency', input, now()),
    purgeWorkers: input => write('purgeWorkers', input, now()),
    createWorkspace: input => write('createWorkspace', input, now()),
    listWorkspaces: () => read('listWorkspaces', undefined, now()),
    createToken: input => write('createToken', input, now()),
    findToken: input => read('findToken', input, now()),
    listTokens: input => read('listTokens', input, now()),
    deleteToken: input => write('deleteToken', input, now()),
    beatWorker: input => write('beatWorker', input, now()),
    listWorkers: () => read('listWorkers', undefined, now()),
    queueStatistics: () => read('queueStatistics', undefined, now()),
    getSetting: input => read('getSetting', input, now()),
    setSetting: input => write('setSetting', input, now()),
    replaceSetting: input => write('replaceSetting', input, now()),
    ping: () => write('ping', undefined, now()),
    onSignal: listener => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: async () => {
      // Closes the writer last: it then moves the write-ahead log into the database.
      await threads.read.close()
      await threads.write.close()
    },
  }
}
