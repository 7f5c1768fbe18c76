import { nullableTimestamp, toTimestamp } from '../kernel/clock.ts'
import type { Artifact, Attempt, Job } from './job.ts'

/** For absolute URLs in answers. */
export type ViewContext = { readonly publicUrl: string }

/** The API's view of a job (`api.md`, Jobs). Secret values are already `"***"` in the stored spec. */
export const viewJob = (job: Job, { publicUrl }: ViewContext) => ({
  job_id: job.id,
  kind: job.kind,
  name: job.name,
  labels: job.labels,
  status: job.status,
  status_reason: job.statusReason,
  error: job.status === 'failed' ? { code: String(job.statusReason), message: job.errorMessage ?? '' } : null,
  trigger: job.trigger,
  workflow_id: job.workflowId,
  run_id: job.runId,
  parent_job_id: job.parentJobId,
  rerun_of: job.rerunOf,
  queue: job.queue,
  priority: job.priority,
  created_at: toTimestamp(job.createdAt),
  scheduled_at: nullableTimestamp(job.scheduledAt),
  queued_at: nullableTimestamp(job.queuedAt),
  started_at: nullableTimestamp(job.startedAt),
  finished_at: nullableTimestamp(job.finishedAt),
  updated_at: toTimestamp(job.updatedAt),
  attempt: job.attempt,
  maximum_attempts: job.retry.maximumAttempts,
  system_attempts: job.systemFailures,
  worker_id: job.workerId,
  is_cancellable: job.status === 'pending' || job.status === 'queued' || job.status === 'running',
  progress: viewProgress(job.progress),
  exit_code: job.exitCode,
  signal: job.signal,
  statistics: job.statistics,
  result: viewResult(job, publicUrl),
  spec: JSON.parse(job.spec) as Record<string, unknown>,
})

const viewProgress = (progress: Job['progress']) =>
  progress && { percentage: progress.percentage, message: progress.message, steps: [...(progress.steps ?? [])] }

const viewResult = ({ id, result }: Job, publicUrl: string) =>
  result && {
    format: result.format,
    bytes: result.bytes,
    sha256: result.sha256,
    url: `${publicUrl}/v1/jobs/${id}/result`,
    expires_at: nullableTimestamp(result.expiresAt),
  }

export const viewAttempt = (attempt: Attempt) => ({
  attempt: attempt.attempt,
  worker_id: attempt.workerId,
  started_at: toTimestamp(attempt.startedAt),
  finished_at: nullableTimestamp(attempt.finishedAt),
  outcome: attempt.outcome,
  reason: attempt.reason,
  message: attempt.errorMessage,
  exit_code: attempt.exitCode,
  signal: attempt.signal,
  statistics: attempt.statistics,
})

export const viewArtifact = (artifact: Artifact) => ({
  artifact_id: artifact.id,
  name: artifact.name,
  attempt: artifact.attempt,
  sha256: artifact.sha256,
  size: artifact.size,
  content_type: artifact.contentType,
  created_at: toTimestamp(artifact.createdAt),
})
