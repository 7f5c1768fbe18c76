import type { KindDefinition } from '../executors/kind-definition.ts'
import type { Clock } from '../kernel/clock.ts'
import { MillraceError } from '../kernel/errors.ts'
import { newId } from '../kernel/ids.ts'
import type { Catalogue } from '../model/catalogue.ts'
import type { NewJob } from '../model/job.ts'
import { joinPath } from '../model/schema-errors.ts'
import type { SecretBox } from '../store/secrets.ts'
import type { IdempotencyKey, Store, SubmitJobs, SubmittedJob } from '../store/store.ts'
import { toBodyOfJob } from './body-of-job.ts'
import { type CheckBody, type CheckedBody, withFaults } from './check-body.ts'
import { createSinkNamesCheck } from './check-sink-names.ts'
import type { Submission, Submitter } from './engine.ts'
import { type BodyFault, ENOUGH_ERRORS, invalidFields } from './invalid-fields.ts'
import { noSuchJob } from './not-found.ts'
import type { RequireRights } from './require-rights.ts'

type Dependencies = {
  readonly definitions: readonly KindDefinition[]
  readonly store: Store
  readonly clock: Clock
  readonly secrets: SecretBox
  readonly check: CheckBody
  readonly requireRights: RequireRights
  readonly readCatalogue: (workspace: string) => Promise<Catalogue>
  readonly maxQueued: number
}

/** Submitting and rerunning: turns job bodies as received into stored jobs, all or nothing. */
export const createSubmit = (dependencies: Dependencies) => {
  const { store, clock, secrets, check, requireRights, readCatalogue, maxQueued } = dependencies
  const checkSinkNames = createSinkNamesCheck(dependencies.definitions)

  const submit = async ({ submitter, bodies, path, idempotency }: Submission): Promise<readonly SubmittedJob[]> => {
    const right = checked({ submitter, bodies, path })
    await checkInWorkspace(right, { workspace: submitter.workspace, path })
    const jobs = right.map(body => toNewJob(body, submitter))
    return insert({ jobs, maxQueued, ...(idempotency && { idempotency }) })
  }

  /** Returns all bodies if every one is valid. Throws `executor_unavailable` or `invalid` with their faults. */
  const checked = ({ submitter, bodies, path }: Omit<Submission, 'idempotency'>): readonly CheckedBody[] => {
    const now = clock.now()
    const right: CheckedBody[] = []
    const errors: BodyFault[] = []
    for (const [index, body] of bodies.entries()) {
      const place = path && `${path}.${index}`
      const one = withFaults(check(body, { path: place, now }), checkSinkNames(body, place))
      if (one.type === 'right') right.push(one.body)
      else errors.push(...one.errors)
      if (errors.length > ENOUGH_ERRORS) break
    }
    if (errors.length > 0) throw invalidFields(errors)
    requireRights(
      submitter,
      right.map(({ definition: { kind }, spec }) => ({ kind, spec })),
    )
    return right
  }

  const checkInWorkspace = async (
    bodies: readonly CheckedBody[],
    { workspace, path }: { workspace: string; path: Submission['path'] },
  ): Promise<void> => {
    const errors: BodyFault[] = []
    for (const [index, { definition, fields }] of bodies.entries()) {
      const faults = (await definition.checkIn?.({ ...fields }, () => readCatalogue(workspace))) ?? []
      const place = path && `${path}.${index}`
      errors.push(...faults.map(fault => ({ ...fault, path: joinPath(place, fault.path) })))
    }
    if (errors.length > 0) throw invalidFields(errors)
  }

  const rerun = async ({ submitter, jobId, idempotency }: RerunInput): Promise<SubmittedJob> => {
    const original = await store.getSubmission({ workspace: submitter.workspace, jobId })
    if (original === null) throw noSuchJob(jobId)
    requireRights(submitter, [original])
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
    throw tooManyQueued(outcome.queued, maxQueued)
  }

  const toNewJob = (body: CheckedBody, submitter: Submitter): NewJob => ({
    id: newId(),
    workspace: submitter.workspace,
    trigger: 'manual',
    workflowId: null,
    runId: null,
    parentJobId: submitter.parentJobId,
    rerunOf: null,
    scopes: submitter.scopes,
    ...toBodyOfJob(body, secrets.seal),
  })

  return { submit, rerun, check: (input: Omit<Submission, 'idempotency'>): void => void checked(input) }
}

type RerunInput = { readonly submitter: Submitter; readonly jobId: string; readonly idempotency?: IdempotencyKey }

export const tooManyQueued = (queued: number, most: number): MillraceError =>
  new MillraceError('too_many_queued', `The workspace has ${queued} queued jobs; at most ${most} are allowed.`, {
    retryAfter: 5,
  })

/** The same work as a new job, scheduled now and owned by the caller. */
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
