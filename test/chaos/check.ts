import type { JobView, LogLineView } from './api.ts'
import type { Acknowledged } from './ledger.ts'

/** What is known of one acknowledged job once everything is at rest. */
export type Evidence = {
  readonly acknowledged: Acknowledged
  /** null: the server knows no such job. */
  readonly job: JobView | null
  readonly attempts: readonly number[]
  readonly log: readonly LogLineView[]
  /** Lines the job itself wrote to its trace file. */
  readonly trace: readonly string[]
}

/** Attempts after system failures in total (`src/model/retry.ts`): after that many kills a job may fail through no fault of its own. */
const SYSTEM_TRIES = 3

/** Every promise of Millrace that this job's evidence breaks, in words; [] if all are kept. */
export const checkJob = (evidence: Evidence): readonly string[] => {
  const { acknowledged, job } = evidence
  const name = `${acknowledged.jobId} (${acknowledged.sort.name})`
  if (job === null) return [`${name} is lost`]
  const faults = [
    ...checkEnd(acknowledged, job),
    ...checkAttempts(evidence, job),
    ...checkCompletion(evidence, job),
    ...checkLog(evidence, job),
  ]
  return faults.map(fault => `${name} ${fault}; ${job.status}/${job.status_reason}, attempt ${job.attempt}`)
}

const checkEnd = ({ sort, cancel }: Acknowledged, job: JobView): readonly string[] => {
  if (!['completed', 'failed', 'cancelled'].includes(job.status)) return ['is stuck']
  if (cancel === 'promised' && job.status !== 'cancelled') return ['was not cancelled although the cancel was answered']
  if (job.status === 'cancelled') return cancel === 'none' ? ['was cancelled by nobody'] : []
  if (job.status === 'failed' && isLostByKills(job)) return []
  const expected = sort.exitCode === 0 ? 'completed' : 'failed'
  if (job.status !== expected) return [`should have ${expected}`]
  return job.exit_code === sort.exitCode ? [] : [`has exit code ${job.exit_code}`]
}

const isLostByKills = (job: JobView): boolean =>
  ['worker_lost', 'launcher_lost'].includes(job.status_reason ?? '') && job.system_attempts >= SYSTEM_TRIES

const checkAttempts = ({ attempts, trace }: Evidence, job: JobView): readonly string[] => {
  const starts = trace.filter(line => line.startsWith('start ')).map(line => Number(line.slice(6)))
  const faults: string[] = []
  if (new Set(starts).size !== starts.length) faults.push(`ran an attempt twice (${starts.join(', ')})`)
  if (trace.some(line => line.startsWith('overlap'))) faults.push('had two live attempts at once')
  if (starts.some(attempt => attempt > job.attempt))
    faults.push(`ran an attempt nobody knows of (${starts.join(', ')})`)
  if (attempts.length !== job.attempt || attempts.some((attempt, index) => attempt !== index + 1)) {
    faults.push(`lists attempts ${attempts.join(', ')}`)
  }
  return faults
}

/** A completed job has really reached its end, in the attempt recorded as completed. */
const checkCompletion = ({ trace }: Evidence, job: JobView): readonly string[] =>
  job.status === 'completed' && !trace.includes(`end ${job.attempt}`) ? ['is completed but never reached its end'] : []

const checkLog = ({ acknowledged, log }: Evidence, job: JobView): readonly string[] => {
  const faults: string[] = []
  if (log.some((line, index) => line.seq !== index + 1)) faults.push('has a gap in its log')
  for (let attempt = 1; attempt <= job.attempt; attempt++) {
    const lines = log.filter(line => line.attempt === attempt && line.stream === 'stdout').map(({ line }) => line)
    if (lines.some((line, index) => line !== `line ${attempt} ${index + 1}`))
      faults.push(`has lost lines of attempt ${attempt}`)
  }
  const last = log.filter(line => line.attempt === job.attempt && line.stream === 'stdout')
  const ranToItsEnd = job.exit_code === acknowledged.sort.exitCode && job.status !== 'cancelled'
  if (ranToItsEnd && last.length !== acknowledged.lines)
    faults.push(`has ${last.length} of ${acknowledged.lines} lines`)
  return faults
}
