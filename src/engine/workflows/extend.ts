import { MillraceError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import type { NewJob } from '../../model/job.ts'
import type { WorkflowDefinition } from '../../model/workflow-definition.ts'
import type { SecretBox } from '../../store/secrets.ts'
import type { Store } from '../../store/store.ts'
import type { BodyOfJob } from '../body-of-job.ts'
import { invalidFields } from '../invalid-fields.ts'
import { noSuchJob } from '../not-found.ts'
import type { RequireRights } from '../require-rights.ts'
import type { Workflows } from '../workflows.ts'
import { type Kept, restoreSecrets, secretNamesOf } from './definition-secrets.ts'
import type { ItemSettings, PrepareItems } from './prepare-items.ts'
import { itemRetry, tooManyItems } from './read-definition.ts'
import type { Templates } from './templates.ts'
import { createWeightedCache } from './weighted-cache.ts'

type Dependencies = {
  readonly store: Store
  readonly secrets: SecretBox
  readonly templates: Templates
  readonly prepare: PrepareItems
  readonly requireRights: RequireRights
  readonly maxItems: number
}

/** A crawl extends its run for every page, so the settings its items share are cached. */
const RUNS_KEPT = 100

/** Adds items to the run of a running item. They are built like the items of the run's workflow: same settings, same checks. */
export const createExtend = ({
  store,
  secrets,
  templates,
  prepare,
  requireRights,
  maxItems,
}: Dependencies): Workflows['extend'] => {
  const runs = createWeightedCache<ItemSettings>({ most: RUNS_KEPT, weigh: () => 1 })

  const settingsOf = async (job: Item): Promise<ItemSettings> => {
    const run = await store.getRun({ workspace: job.workspace, runId: job.runId })
    if (run === null) throw noSuchJob(job.id)
    const shown = JSON.parse(run.snapshot) as WorkflowDefinition
    const { environment, sinks } = await open(shown, run.workflowVersion, job)
    const secretNames = secretNamesOf(shown)
    return { environment, secretNames, sinks, parameters: undefined, retry: itemRetry(shown), now: run.createdAt }
  }

  /**
   * A run stores no secrets. If the workflow is unchanged, its secrets are used. If it changed, secrets come from the same places in its current definition,
   * or else from those given to the item. A sink only gets secrets of a sink with the same address.
   */
  const open = async (shown: WorkflowDefinition, version: number, job: Item): Promise<Own> => {
    const workflow = await store.loadWorkflow({ workspace: job.workspace, workflow: job.workflowId })
    if (workflow !== null && workflow.version === version) return templates.openDefinition(workflow).definition
    const { environment, sinks } = shown
    const before: Own = { ...(environment && { environment }), ...(sinks && { sinks }) }
    const ofWorkflow = workflow && kept(workflow.definition, workflow.secrets)
    const now = ofWorkflow === null ? before : restoreSecrets(before, ofWorkflow)
    return restoreSecrets(now, kept(job.spec, job.secrets))
  }

  const kept = (shown: string, sealed: Uint8Array | null): Kept => ({
    shown: JSON.parse(shown),
    secrets: sealed === null ? {} : secrets.open(sealed),
  })

  return async ({ workspace, jobId, attempt, items, scopes }) => {
    const submission = await store.getSubmission({ workspace, jobId })
    if (submission === null) throw noSuchJob(jobId)
    if (!isItem(submission)) throw new MillraceError('job_not_in_run')
    if (items.length > maxItems) throw tooManyItems(items.length, maxItems)
    // Valid: for example, a page may have no links.
    if (items.length === 0) return
    const settings = await runs.get(submission.runId, () => settingsOf(submission))
    const prepared = await prepare(items, settings)
    if (prepared.errors.length > 0) throw invalidFields(prepared.errors)
    requireRights(submission, prepared.items)
    // A caller from outside must also have the scopes to run the items.
    if (scopes !== undefined) requireRights({ scopes }, prepared.items)
    const jobs = prepared.items.map(item => besides(submission, item, scopes))
    const outcome = await store.extendRun({ workspace, jobId, attempt, items: jobs, maxItems })
    if (outcome !== 'kept') throw refusal(outcome, jobId, attempt, maxItems)
  }
}

/** What a workflow contributes to its items. */
type Own = Pick<WorkflowDefinition, 'environment' | 'sinks'>

/** A job that belongs to a run. */
type Item = NewJob & { readonly runId: string; readonly workflowId: string }

const isItem = (job: NewJob): job is Item => job.runId !== null && job.workflowId !== null

/** Builds the new item. `scopes` are the caller's; the item gets only those that the extending job has too. */
const besides = (job: Item, item: BodyOfJob, scopes: readonly string[] = job.scopes): NewJob => ({
  ...item,
  id: newId(),
  workspace: job.workspace,
  trigger: job.trigger,
  workflowId: job.workflowId,
  runId: job.runId,
  parentJobId: job.id,
  rerunOf: null,
  scheduledAt: job.scheduledAt,
  scopes: job.scopes.filter(scope => scopes.includes(scope)),
})

type Refused = Exclude<Awaited<ReturnType<Store['extendRun']>>, 'kept'>

const refusal = (outcome: Refused, jobId: string, attempt: number, maxItems: number): MillraceError => {
  if (typeof outcome === 'object') return tooManyItems(outcome.items, maxItems)
  switch (outcome) {
    case 'not_found':
      return noSuchJob(jobId)
    case 'not_in_run':
      return new MillraceError('job_not_in_run')
    case 'not_running':
      return new MillraceError('job_not_running', `Attempt ${attempt} of job ${jobId} is not running.`)
    default:
      return outcome satisfies never
  }
}
