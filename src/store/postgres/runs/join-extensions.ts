import type { NewJob } from '../../../model/job.ts'
import { arrayLiteral } from '../array-literal.ts'
import type { Statement } from '../database.ts'
import type { AppliedAny } from '../jobs/end-statements.ts'
import { insertJobs } from '../jobs/insert-jobs.ts'
import type { EventRow } from '../jobs/job-rows.ts'
import type { Work } from '../locks.ts'

/** Fields that jobs stored by earlier versions lack. */
type Later = 'dataSource' | 'pipe'

/** Items as an extension stores them: bytes in hexadecimal, scopes as the id of their set. */
type KeptItem = Omit<NewJob, 'secrets' | 'scopes' | Later> &
  Partial<Pick<NewJob, Later>> & { readonly secrets: string | null; readonly scopeSet: number }

export const toKeptItems = (items: readonly NewJob[], scopeSetOf: (scopes: readonly string[]) => number): string =>
  JSON.stringify(
    items.map(
      ({ secrets, scopes, ...item }): KeptItem => ({
        ...item,
        secrets: secrets && Buffer.from(secrets).toString('hex'),
        scopeSet: scopeSetOf(scopes),
      }),
    ),
  )

const TAKE: Statement = {
  name: 'take_extensions',
  text: `
    DELETE FROM millrace.extension
    WHERE job_id = ANY ($1::uuid[])
    RETURNING position, job_id, attempt, items,
      (SELECT paused FROM millrace.run WHERE run.id = extension.run_id) AS is_paused,
      (SELECT end_reason IS NOT NULL FROM millrace.run WHERE run.id = extension.run_id) AS is_ending`,
}

type ExtensionRow = {
  readonly position: number
  readonly job_id: string
  readonly attempt: number
  readonly items: string
  readonly is_paused: boolean | null
  readonly is_ending: boolean | null
}

/** Items added by attempts that completed join their runs, unless these are being terminated; items added by other attempts are dropped. */
export const joinExtensions = async (work: Work, ended: readonly AppliedAny[]): Promise<void> => {
  const extended = new Map(ended.flatMap(row => (row.extended_attempt === null ? [] : [[row.id, row] as const])))
  if (extended.size === 0) return
  const taken = await work.connection.query<ExtensionRow>(TAKE, [arrayLiteral([...extended.keys()], id => id)])
  for (const extension of taken.toSorted((a, b) => a.position - b.position)) {
    const by = extended.get(extension.job_id)!
    if (by.status === 'completed' && by.end.lease.attempt === extension.attempt && !extension.is_ending)
      await join(work, { by, items: JSON.parse(extension.items), isPaused: extension.is_paused === true })
  }
}

const join = async (
  { connection, effects, touched, now }: Work,
  { by, items, isPaused }: { by: AppliedAny; items: readonly KeptItem[]; isPaused: boolean },
): Promise<void> => {
  if (items.length === 0) return
  const scopeSets = new Map<readonly string[], number>()
  const jobs = items.map(({ secrets, scopeSet, ...item }): NewJob => {
    const scopes: string[] = []
    scopeSets.set(scopes, scopeSet)
    return {
      ...item,
      dataSource: item.dataSource ?? null,
      pipe: item.pipe ?? null,
      secrets: secrets === null ? null : Buffer.from(secrets, 'hex'),
      scopes,
    }
  })
  const reason = isPaused ? 'run_paused' : 'run_concurrency'
  const scopeSetOf = (scopes: readonly string[]) => scopeSets.get(scopes)!
  const joinedAt = await insertJobs(connection, { now, jobs, scopeSetOf, startOf: () => reason, areItems: true })
  effects.jobs.push(...jobs.map(job => toRow(job, reason, joinedAt)))
  effects.addWaiting(by.workspace, jobs.length)
  touched.runs.added(by.item_of!, jobs.length)
}

const toRow = (job: NewJob, reason: EventRow['status_reason'], now: number): EventRow => ({
  id: job.id,
  workspace: job.workspace,
  kind: job.kind,
  run_id: job.runId,
  workflow_id: job.workflowId,
  parent_job_id: job.parentJobId,
  status: 'pending',
  status_reason: reason,
  now,
})
