import type { KindDefinition } from '../executors/kind-definition.ts'
import type { Clock } from '../kernel/clock.ts'
import { type FieldError, MillraceError } from '../kernel/errors.ts'
import { newId } from '../kernel/ids.ts'
import type { NewJob } from '../model/job.ts'
import type { Scope } from '../model/scopes.ts'
import type { SecretBox } from '../store/secrets.ts'
import type { IdempotencyKey, Store, SubmitJobs, SubmittedJob } from '../store/store.ts'
import { type BodyCheck, type CheckedBody, createBodyCheck } from './check-body.ts'
import type { Submission, Submitter } from './engine.ts'

type Dependencies = {
  readonly store: Store
  readonly clock: Clock
  readonly secrets: SecretBox
  readonly definitions: readonly KindDefinition[]
  readonly maxQueued: number
}

/** At most this many wrong fields are told at once. */
const MOST_ERRORS = 100

/** Submitting and rerunning: from job bodies as they came to stored jobs, all or nothing. */
export const createSubmit = ({ store, clock, secrets, definitions, maxQueued }: Dependencies) => {
  const check = createBodyCheck(definitions)

  const submit = async ({ submitter, bodies, path, idempotency }: Submission): Promise<readonly SubmittedJob[]> => {
    const now = clock.now()
    const checks = bodies.map((body, index) => check(body, { path: path && `${path}.${index}`, now }))
    const jobs = rightOnes(checks).map(body => toNewJob(body, submitter))
    for (const job of jobs) requireScope(submitter, `jobs:run:${job.kind}`)
    return insert({ jobs, maxQueued, ...(idempotency && { idempotency }) })
  }

  const rerun = async ({ submitter, jobId, idempotency }: RerunInput): Promise<SubmittedJob> => {
    const original = await store.getSubmission({ workspace: submitter.workspace, jobId })
    if (original === null) throw new MillraceError('not_found', `There is no job ${jobId}.`)
    requireScope(submitter, `jobs:run:${original.kind}`)
    const job = againOf(original, submitter)
    const [submitted] = await insert({
      jobs: [job],
      maxQueued,
      ...(idempotency && { idempotency: { key: idempotency, shape: 'single' } }),
    })
    return submitted!
  }

  const insert = async (input: SubmitJobs): Promise<readonly SubmittedJob[]> => {
    const outcome = await store.submitJobs(input)
    if (outcome.type === 'submitted') return outcome.jobs
    throw new MillraceError(
      'too_many_queued',
      `The workspace has ${outcome.queued} queued jobs; at most ${maxQueued} are allowed.`,
      { retryAfter: 5 },
    )
  }

  const toNewJob = (body: CheckedBody, submitter: Submitter): NewJob => ({
    id: newId(),
    workspace: submitter.workspace,
    kind: body.definition.kind,
    name: body.fields.name ?? null,
    labels: body.fields.labels ?? {},
    queue: body.fields.queue ?? 'default',
    priority: body.fields.priority ?? 0,
    trigger: 'manual',
    workflowId: null,
    runId: null,
    parentJobId: submitter.parentJobId,
    rerunOf: null,
    exclusiveKey: body.exclusiveKey,
    scheduledAt: body.scheduledAt,
    timeoutMs: body.timeoutMs,
    graceMs: body.fields.grace_seconds === undefined ? null : Math.round(body.fields.grace_seconds * 1000),
    retry: body.retry,
    restartable: body.fields.restartable ?? true,
    spec: body.spec,
    secrets: Object.keys(body.secrets).length === 0 ? null : secrets.seal(body.secrets),
    scopes: submitter.scopes,
    sinks: [],
  })

  return { submit, rerun }
}

type RerunInput = { readonly submitter: Submitter; readonly jobId: string; readonly idempotency?: IdempotencyKey }

const rightOnes = (checks: readonly BodyCheck[]): readonly CheckedBody[] => {
  const right: CheckedBody[] = []
  const errors: FieldError[] = []
  for (const check of checks) {
    if (check.type === 'unavailable')
      throw new MillraceError('executor_unavailable', `This server runs no jobs of kind ${check.kind}.`)
    if (check.type === 'wrong') errors.push(...check.errors)
    else right.push(check.body)
  }
  if (errors.length === 0) return right
  const first = errors[0]!
  const detail = first.path ? `${first.path}: ${first.message}` : `The body ${first.message}`
  throw new MillraceError('invalid', detail, { errors: errors.slice(0, MOST_ERRORS) })
}

const requireScope = (submitter: Submitter, scope: Scope): void => {
  if (!submitter.scopes.includes(scope)) throw new MillraceError('forbidden', `The token lacks the scope ${scope}.`)
}

/** The same work as a new job: its time is now and its author is who asked for it. */
const againOf = (original: NewJob, submitter: Submitter): NewJob => ({
  ...original,
  id: newId(),
  rerunOf: original.id,
  trigger: 'manual',
  workflowId: null,
  runId: null,
  parentJobId: submitter.parentJobId,
  scheduledAt: null,
  scopes: submitter.scopes,
})
