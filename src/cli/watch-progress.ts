import type { JobAnswer } from './client/job-answer.ts'
import { cancelWatched, jobPath } from './client/jobs.ts'
import { patiently } from './client/patiently.ts'
import { call } from './client/request.ts'
import type { ServerAddress } from './client/server-address.ts'
import type { CliContext } from './context.ts'
import { onInterrupt } from './interrupt.ts'
import { CLEAR_LINE } from './terminal/bar.ts'
import { noteLost, notes } from './terminal/note.ts'
import { queryProgressLine } from './terminal/query-progress.ts'
import { mayGoOn } from './watch-job.ts'

type Watch = {
  readonly server: ServerAddress
  readonly jobId: string
  /** Ctrl-C was pressed earlier (`submitWatched`). */
  readonly isInterrupted?: boolean
  readonly context: CliContext
}

/**
 * Watches a job with progress but no log (a query, an import, …) until it ends, and resolves with the job; draws the progress on a terminal. Ctrl-C cancels the
 * job (null once that is done), a second one leaves.
 */
export const watchProgress = async (watch: Watch): Promise<JobAnswer | null> => {
  const { server, jobId, context } = watch
  const leave = new AbortController()
  const { signal } = leave
  const draw = progressPrinter(context)
  const note = (text: string): void => {
    draw(null)
    notes(context)(text)
  }
  let interrupts = 0
  const interrupt = (): void => {
    interrupts += 1
    if (interrupts > 1) leave.abort()
    else {
      note('cancelling; press Ctrl-C again to leave it')
      cancelWatched(server, jobId).catch(error => note((error as Error).message))
    }
  }
  const stopListening = onInterrupt(interrupt)
  if (watch.isInterrupted) interrupt()
  const request = { path: jobPath(jobId), query: { wait: 1 }, signal }
  const onLost = noteLost(context)
  try {
    while (true) {
      const job = await patiently(() => call<JobAnswer>(server, request), { signal, onLost })
      if (job.finished_at !== null) return interrupts > 0 && job.status === 'cancelled' ? null : job
      draw(job)
    }
  } catch (error) {
    note(mayGoOn(jobId))
    if (!signal.aborted) throw error
    return null
  } finally {
    draw(null)
    stopListening()
  }
}

/** Draws a job over the previous drawing; null clears the line. */
const progressPrinter = ({ stderr }: CliContext): ((job: JobAnswer | null) => void) => {
  let drawn = false
  return job => {
    if (!stderr.isTTY || (job === null && !drawn)) return
    drawn = true
    stderr.write(`${CLEAR_LINE}${job === null ? '' : queryProgressLine(job, stderr.columns || 80)}`)
  }
}
