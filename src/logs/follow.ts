import { MillraceError } from '../kernel/errors.ts'
import { isEnded } from '../model/job-status.ts'
import type { LogBatch } from './job-logs.ts'
import type { LineBatches } from './line-batches.ts'
import type { Wakeups } from './wakeups.ts'

/** Poll interval, because wake-ups between processes may be lost. */
const POLL_MS = 1000

type Dependencies = { readonly batches: LineBatches; readonly wakeups: Wakeups }
type Place = {
  readonly workspace: string
  readonly jobId: string
  readonly fromSeq: number
  readonly signal: AbortSignal
}

/** The batches of a job's log from a given line: first the backlog, then the tail. See `JobLogs.follow`. */
export async function* follow({ batches, wakeups }: Dependencies, place: Place): AsyncGenerator<LogBatch> {
  const { workspace, jobId, signal } = place
  using _kept = batches.join()
  const bell = wakeups.subscribe(jobId)
  let fromSeq = Math.max(1, place.fromSeq)
  try {
    while (!signal.aborted) {
      const read = await batches.read({ workspace, jobId, fromSeq })
      if (read.type === 'lines') {
        yield read
        fromSeq = read.lines.at(-1)!.seq + 1
      } else if (read.type === 'no_job') throw new MillraceError('not_found')
      else if (isEnded(read.status)) return yield { type: 'end', status: read.status }
      else await bell.wait(POLL_MS, signal)
    }
  } finally {
    bell.close()
  }
}
