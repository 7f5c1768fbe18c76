import { expect, test } from 'vitest'
import { newJob } from '../../test/conformance/suite/scene.ts'
import { deliveryBody, INLINE_DELIVERY_BYTES, isSentInline } from './delivery-body.ts'
import type { Job, JobResult } from './job.ts'

const RESULT: JobResult = { format: 'json', bytes: 2, sha256: 'ab', expiresAt: null, isExpired: false }

const job = (changes: Partial<Job> = {}): Job => ({
  ...newJob({
    id: 'job-1',
    kind: 'api',
    name: 'scrape',
    trigger: 'automatic',
    workflowId: 'workflow-1',
    runId: 'run-1',
  }),
  spec: JSON.stringify({ api: 'scrape', parameters: { page: 3 } }),
  scopes: [],
  status: 'completed',
  statusReason: null,
  errorMessage: null,
  createdAt: 0,
  queuedAt: 0,
  startedAt: 1000,
  finishedAt: 2000,
  updatedAt: 2000,
  attempt: 1,
  userFailures: 0,
  systemFailures: 0,
  workerId: null,
  exitCode: null,
  signal: null,
  progress: null,
  statistics: null,
  result: null,
  ...changes,
})

const bodyOf = (changes: Partial<Job>, content: string | null = null) =>
  deliveryBody(job(changes), { publicUrl: 'https://runs.test', content })

test('a completed job is sent with its ids, its parameters and its API representation', () => {
  const { type, timestamp, data } = JSON.parse(bodyOf({}))
  expect({ type, timestamp }).toEqual({ type: 'job.completed', timestamp: '1970-01-01T00:00:02.000Z' })
  expect(Object.keys(data)).toEqual(['workflow_id', 'run_id', 'job', 'parameters', 'result'])
  expect(data).toMatchObject({ workflow_id: 'workflow-1', run_id: 'run-1', parameters: { page: 3 }, result: null })
  expect(data.job).toMatchObject({ job_id: 'job-1', status: 'completed', spec: { api: 'scrape' } })
})

test('the body does not reveal other sinks', () => {
  const sinks = [
    { type: 'webhook', url: 'https://one.test/hook', headers: { 'x-team': 'billing' } },
    { type: 's3', bucket: 'two', access_key_id: 'AKID', secret_access_key: '***' },
  ]
  const text = bodyOf({ spec: JSON.stringify({ api: 'scrape', sinks, parameters: { page: 3 } }) })
  expect(JSON.parse(text).data.job.spec).toEqual({ api: 'scrape', parameters: { page: 3 } })
  expect(text).not.toMatch(/one\.test|billing|AKID/)
})

test('a failed job is sent with its error', () => {
  const { type, data } = JSON.parse(bodyOf({ status: 'failed', statusReason: 'timeout', errorMessage: 'too long' }))
  expect(type).toBe('job.failed')
  expect(data.job.error).toEqual({ code: 'timeout', message: 'too long' })
})

test('the content of a result is embedded unchanged, large integers included, or else its URL', () => {
  const text = bodyOf({ result: RESULT }, '{"n": 9007199254740993, "list": []}')
  expect(text).toContain('"value":{"n": 9007199254740993, "list": []}}}}')
  expect(JSON.parse(text).data.result).toMatchObject({ value: { list: [] }, format: 'json' })
  const { result } = JSON.parse(bodyOf({ result: RESULT })).data
  expect(result).toEqual({
    format: 'json',
    bytes: 2,
    sha256: 'ab',
    url: 'https://runs.test/v1/jobs/job-1/result',
    expires_at: null,
  })
})

test.each(['', '{"half": ', '1}, "type": "forged"', 'undefined'])(
  'the content %j is not JSON and is left out',
  content => {
    const { result } = JSON.parse(bodyOf({ result: RESULT }, content)).data
    expect(result).not.toHaveProperty('value')
  },
)

test('JSON of up to 2 MB is sent inline, other formats, larger and expired results are not', () => {
  const inline = (result: Partial<JobResult> | null) =>
    isSentInline(job({ result: result && { ...RESULT, ...result } }))
  expect(inline({ bytes: INLINE_DELIVERY_BYTES })).toBe(true)
  expect(inline({ bytes: INLINE_DELIVERY_BYTES + 1 })).toBe(false)
  expect(inline({ format: 'csv' })).toBe(false)
  expect(inline({ isExpired: true })).toBe(false)
  expect(inline(null)).toBe(false)
})
