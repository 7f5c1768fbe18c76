import type { JobStatus } from '../../../model/job-status.ts'
import type { LogPart } from '../../../model/log-line.ts'
import type { AttemptEnd, NewResult } from '../../../model/outcome.ts'
import type { EndAttempt, EndResult } from '../../store.ts'
import { compactBytes } from '../compact-bytes.ts'

/** Ends and their results as sent between the threads. Arrays, because cloning the field names of a thousand objects would cost more than the writes. */
export type EndRow = readonly [
  jobId: string,
  attempt: number,
  leaseToken: string,
  end: AttemptEnd,
  log: readonly LogPart[],
]

/** The job's status after an applied end; wrapped in an array, the current status of a job whose end was refused. */
export type EndAnswer = JobStatus | readonly [JobStatus | null]

const NO_LOG: readonly LogPart[] = []

export const encodeEnds = (ends: readonly EndAttempt[]): readonly EndRow[] => {
  const alike = new Map<string, AttemptEnd>()
  return ends.map(({ lease, end, log }) => [
    lease.jobId,
    lease.attempt,
    lease.leaseToken,
    oneOfAlike(alike, end),
    log.length === 0 ? NO_LOG : log.map(compactPart),
  ])
}

export const compactPart = (part: LogPart): LogPart => (part.data ? { ...part, data: compactBytes(part.data) } : part)

/** An object shared by several rows is cloned once, and most jobs of a batch end alike. */
const oneOfAlike = (alike: Map<string, AttemptEnd>, end: AttemptEnd): AttemptEnd => {
  if (end.type !== 'complete') return end
  if (end.result !== null) return compactEnd(end, end.result)
  if (end.statistics !== null) return end
  const key = `${end.exit.exitCode} ${end.exit.signal}`
  const known = alike.get(key)
  if (known === undefined) alike.set(key, end)
  return known ?? end
}

const compactEnd = (end: Extract<AttemptEnd, { type: 'complete' }>, result: NewResult): AttemptEnd =>
  'data' in result.content
    ? { ...end, result: { ...result, content: { data: compactBytes(result.content.data) } } }
    : end

export const decodeEnds = (rows: readonly EndRow[]): readonly EndAttempt[] =>
  rows.map(([jobId, attempt, leaseToken, end, log]) => ({ lease: { jobId, attempt, leaseToken }, end, log }))

export const encodeResult = ({ applied, status }: EndResult): EndAnswer => (applied && status ? status : [status])

export const decodeResults = (ends: readonly EndAttempt[], answers: readonly EndAnswer[]): readonly EndResult[] =>
  ends.map(({ lease: { jobId } }, index) => {
    const answer = answers[index]!
    return typeof answer === 'string'
      ? { jobId, applied: true, status: answer }
      : { jobId, applied: false, status: answer[0] }
  })
