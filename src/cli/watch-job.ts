import { followLog } from './client/follow-log.ts'
import type { JobAnswer } from './client/job-answer.ts'
import { cancelWatched, getJob } from './client/jobs.ts'
import { patiently } from './client/patiently.ts'
import type { ServerAddress } from './client/server-address.ts'
import type { CliContext } from './context.ts'
import { EXIT, exitCodeOf } from './exit-code.ts'
import { onInterrupt } from './interrupt.ts'
import { failureHint } from './job-failure.ts'
import { writeLines } from './log-output.ts'
import { noteLost, notes } from './terminal/note.ts'

type Watched = {
  readonly server: ServerAddress
  readonly jobId: string
  /** Ctrl-C was pressed earlier (`submitWatched`). */
  readonly isInterrupted?: boolean
  readonly context: CliContext
}

/** Watches a job until it ends, with its log on our streams. Ctrl-C cancels it, a second one kills it, a third one leaves. Resolves with the exit code. */
export const watchJob = async (input: Watched): Promise<number> => {
  const { server, jobId, context } = input
  const note = notes(context)
  const leave = new AbortController()
  const { signal } = leave
  const onLost = noteLost(context)
  let interrupts = 0
  const onPress = (): void => {
    interrupts += 1
    interrupt({ server, jobId, interrupts, leave, note }).catch(error => note((error as Error).message))
  }
  const stopListening = onInterrupt(onPress)
  if (input.isInterrupted) onPress()
  if (context.stderr.isTTY) note(`job ${jobId}`)
  const telling = context.stderr.isTTY
    ? setTimeout(() => tellWhatItWaitsFor(input, note), WAIT_WORTH_TELLING_MS)
    : undefined
  try {
    await followLog({
      server,
      jobId,
      from: 1,
      signal,
      onLines: lines => {
        clearTimeout(telling)
        return writeLines(context, lines)
      },
      onLost,
    })
    signal.throwIfAborted()
    // A server that stops waits for running jobs, so it is often gone once they have ended.
    const job = await patiently(() => getJob(server, jobId, { signal }), { signal, onLost })
    if (interrupts > 0 && job.status === 'cancelled') return EXIT.interrupted
    explain(job, note)
    return exitCodeOf(job)
  } catch (error) {
    note(mayGoOn(jobId))
    if (!signal.aborted) throw error
    return EXIT.interrupted
  } finally {
    clearTimeout(telling)
    stopListening()
  }
}

/** For those who leave or lose a job before it is known how it ends. */
export const mayGoOn = (jobId: string): string => `the job may go on; see it with: millrace job ${jobId}`

/** After this long without output, people wonder what is wrong. */
const WAIT_WORTH_TELLING_MS = 3000

/** Explains why a job has not started; says nothing about a job that is running silently. */
const tellWhatItWaitsFor = ({ server, jobId }: Watched, note: (text: string) => void): void => {
  // Connection errors are reported by the follower.
  getJob(server, jobId).then(
    job => {
      if (job.status === 'queued')
        note(
          'it is queued: no worker has a free slot for it yet; see what is before it: millrace jobs -s running,queued',
        )
      if (job.status === 'pending') note(`it is pending${job.status_reason === null ? '' : `: ${job.status_reason}`}`)
    },
    () => {},
  )
}

type Interrupt = {
  readonly server: ServerAddress
  readonly jobId: string
  readonly interrupts: number
  readonly leave: AbortController
  readonly note: (text: string) => void
}

const interrupt = async ({ server, jobId, interrupts, leave, note }: Interrupt): Promise<void> => {
  if (interrupts > 2) return leave.abort()
  note(interrupts === 1 ? 'cancelling; press Ctrl-C again to kill it' : 'killing; press Ctrl-C again to leave it')
  await cancelWatched(server, jobId, interrupts === 1 ? undefined : 0)
}

/** A command's own exit code needs no explanation; everything else does. */
const explain = (job: JobAnswer, note: (text: string) => void): void => {
  if (job.status === 'completed' || job.status_reason === 'exit_code') return
  const message = job.error?.message ?? job.status_reason ?? ''
  note(`job ${job.job_id} ${job.status}${message === '' ? '' : `: ${message}`}`)
  const hint = failureHint(job)
  if (hint !== undefined) note(hint)
}
