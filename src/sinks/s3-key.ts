import type { S3Sink } from '../model/sink.ts'

type Place = { readonly jobId: string; readonly runId: string | null; readonly workflowId: string | null }

const DEFAULT_KEY = '{prefix}/{run_id}/{job_id}.json'

/**
 * The key of a job's object. A missing value (the run of a single job, the prefix) leaves no empty segment. Segments that paths would resolve (`..`) are
 * dropped: URLs resolve them too, and the signature would then be for another key.
 */
export const s3Key = ({ key = DEFAULT_KEY, prefix = '' }: S3Sink, { jobId, runId, workflowId }: Place): string => {
  const values: Readonly<Record<string, string>> = {
    '{prefix}': prefix,
    '{run_id}': runId ?? '',
    '{job_id}': jobId,
    '{workflow_id}': workflowId ?? '',
  }
  return key
    .replace(/\{\w+\}/g, name => values[name] ?? name)
    .split('/')
    .filter(segment => segment !== '' && segment !== '.' && segment !== '..')
    .join('/')
}
