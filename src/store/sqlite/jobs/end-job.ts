import type { EndedStatus } from '../../../model/job-status.ts'
import type { Exit, NewResult, Statistics } from '../../../model/outcome.ts'
import { sumLateEnds } from '../analytics/sums.ts'
import { dropExtensions } from '../runs/extensions.ts'
import { writeDeliveries } from '../sinks/deliveries.ts'
import type { Writer } from '../writer.ts'
import { passKeyOn } from './exclusive-key.ts'
import type { LiveJob } from './live-job.ts'
import { insertResult } from './results.ts'

/** How a job ends. */
export type JobEnd = {
  readonly status: EndedStatus
  readonly reason: string | null
  readonly message: string | null
  readonly exit: Exit
  readonly statistics?: Statistics | null
  readonly result?: NewResult | null
}

const INSERT_ENDED = `INSERT INTO ended (seq, workspace, status, status_reason, log, queued_at, started_at, finished_at, attempt,
    user_failures, system_failures, worker_id, exit_code, signal, error_message, progress, statistics)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** Moves a job from `live` to `ended`, with everything its end entails. If the job was waiting, the caller updates the waiting count and settles its run. */
export const endJob = (writer: Writer, job: LiveJob, end: JobEnd): EndedStatus => {
  const { db, now, effects } = writer
  db.run('DELETE FROM live WHERE seq = ?', job.seq)
  db.run(
    INSERT_ENDED,
    job.seq,
    job.workspace,
    end.status,
    end.reason,
    job.nextLogSeq > 1 ? 'kept' : 'none',
    job.queuedAt,
    job.startedAt,
    now,
    job.attempt,
    job.userFailures,
    job.systemFailures,
    job.workerId,
    end.exit.exitCode,
    end.exit.signal,
    end.message,
    job.progress,
    end.statistics ? JSON.stringify(end.statistics) : null,
  )
  if (end.result) insertResult(writer, job.seq, end.result)
  effects.event(job, end.status, end.reason, now)
  if (job.sinks !== null) writeDeliveries(writer, job, job.sinks, end.status)
  if (job.run !== null) {
    dropExtensions(writer, job.seq)
    writer.runs.note(job.run, end.status)
  }
  sumLateEnds(writer, [job.seq])
  passKeyOn(writer, job.workspace, job.exclusiveKey)
  return end.status
}
