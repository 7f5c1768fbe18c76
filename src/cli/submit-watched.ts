import { postOnce, type SubmitAnswer } from './client/jobs.ts'
import type { ServerAddress } from './client/server-address.ts'
import type { CliContext } from './context.ts'
import { EXIT } from './exit-code.ts'
import { onInterrupt } from './interrupt.ts'
import { notes } from './terminal/note.ts'

type Submission = { readonly path: string; readonly json?: unknown }

/** A job that was submitted. */
export type Submitted = {
  readonly jobId: string
  /** Ctrl-C was pressed before the server had answered: cancel the job before watching it. */
  readonly isInterrupted: boolean
}

/** Submits a job to be watched. */
export const submitWatched = (server: ServerAddress, context: CliContext, request: Submission): Promise<Submitted> =>
  watchSubmission({ context, submit: () => postOnce<SubmitAnswer>(server, request) })

/** The same for any way to submit. Ctrl-C waits for the answer, because the server may already have the job, unless `mayLeave` is true. A second one does not. */
export const watchSubmission = async ({
  context,
  submit,
  mayLeave = () => false,
}: {
  readonly context: CliContext
  readonly submit: () => Promise<SubmitAnswer>
  readonly mayLeave?: () => boolean
}): Promise<Submitted> => {
  let presses = 0
  const stopListening = onInterrupt(() => {
    presses += 1
    if (presses > 1 || mayLeave()) process.exit(EXIT.interrupted)
    notes(context)('it will be cancelled when the server has answered; press Ctrl-C again to leave it')
  })
  try {
    const { job_id: jobId } = await submit()
    return { jobId, isInterrupted: presses > 0 }
  } finally {
    stopListening()
  }
}
