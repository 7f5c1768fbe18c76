import type { BlobStore } from '../blobs/blob-store.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import { ENDED_STATUSES } from '../model/job-status.ts'
import type { Store, StoreSignal } from '../store/store.ts'
import { SpooledAttemptLog } from './attempt-log.ts'
import { download } from './download.ts'
import { follow } from './follow.ts'
import type { JobLogs } from './job-logs.ts'
import { LineBatches } from './line-batches.ts'
import { type LiveEnd, readPage, readTail } from './page.ts'
import { ChunkReader } from './read-chunks.ts'
import { recover } from './recover.ts'
import { Segments } from './segments.ts'
import { SpoolFolder } from './spool-folder.ts'
import { Wakeups } from './wakeups.ts'

const SPOOL_KEPT_MS = 3600 * 1000

export type JobLogsOptions = {
  readonly store: Store
  readonly blobs: BlobStore
  readonly clock: Clock
  /** Spool files go into its subdirectory `spool/`. */
  readonly dataDir: string
  /** Limit for the log of a job across all its attempts, in bytes. */
  readonly maxBytes: number
  readonly logger: Logger
  /** Set if other processes read logs too (PostgreSQL). The unsealed tail is then stored every 200 ms and read from there. */
  readonly shareTails: boolean
  /** Replaces the default of 200 ms. */
  readonly shareEveryMs?: number
}

/** The logs of all jobs, over a store and a blob store. */
export const createJobLogs = (options: JobLogsOptions): JobLogs => {
  const { store, blobs, logger, shareTails } = options
  const folder = new SpoolFolder(options.dataDir)
  const live = new Map<string, SpooledAttemptLog>()
  const wakeups = new Wakeups()
  const readable = (jobId: string) => (shareTails ? undefined : live.get(jobId))
  const reader = new ChunkReader({ store, segments: new Segments(blobs), liveLog: readable })
  const batches = new LineBatches(reader)
  const liveEnd: LiveEnd = ({ workspace, jobId }) => {
    const log = readable(jobId)
    return log?.workspace === workspace ? log.nextReadableSeq : 1
  }
  store.onSignal(signal => wakeFollowers(wakeups, signal))

  return {
    open: input => {
      const { jobId } = input.lease
      const onDisposed = () => {
        if (live.get(jobId) === log) live.delete(jobId)
        wakeups.wake(jobId)
      }
      const onWritten = () => wakeups.wake(jobId)
      const log = new SpooledAttemptLog({ ...options, ...input, folder, onWritten, onDisposed })
      live.set(jobId, log)
      return log
    },
    recover: async lost => {
      const log = live.get(lost.lease.jobId)
      return log?.lease.leaseToken === lost.lease.leaseToken ? log.finish() : recover({ folder, blobs, logger }, lost)
    },
    page: query =>
      query.tail === undefined
        ? readPage(reader, query)
        : readTail({ reader, store, liveEnd }, { ...query, tail: query.tail }),
    follow: input => follow({ batches, wakeups }, input),
    download: query => download({ reader, store, liveEnd }, query),
    sweepSpool: () =>
      folder.sweep(Date.now() - SPOOL_KEPT_MS, (jobId, attempt) => live.get(jobId)?.lease.attempt === attempt),
  }
}

const wakeFollowers = (wakeups: Wakeups, signal: StoreSignal): void => {
  if (signal.type === 'log') wakeups.wake(signal.jobId)
  if (signal.type === 'missed_events') wakeups.wakeAll()
  if (signal.type !== 'events' || wakeups.isQuiet) return
  for (const { jobId, status } of signal.events)
    if ((ENDED_STATUSES as readonly string[]).includes(status)) wakeups.wake(jobId)
}
