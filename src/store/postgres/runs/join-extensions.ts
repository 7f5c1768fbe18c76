import type { NewJob } from '../../../model/job.ts'
import { arrayLiteral } from '../array-literal.ts'
import type { Statement } from '../database.ts'
import type { AppliedAny } from '../end-statements.ts'
import { insertJobs } from '../insert-jobs.ts'
import type { EventRow } from '../job-rows.ts'
import type { Work } from '../locks.ts'
import type { RunChanges } from './run-changes.ts'

/** Items as an extension keeps them: bytes in hexadecimal, scopes as the id of their set. */
type KeptItem = Omit<NewJob, 'secrets' | 'scopes'> & { readonly secrets: string | null; readonly scopeSet: number }

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
    RETURNING position, job_id, attempt, items`,
}

type ExtensionRow = {
  readonly position: number
  readonly job_id: string
  readonly attempt: number
  readonly items: string
}

/** What the completed among these attempts have added joins their runs; what others have added is dropped. */
export const joinExtensions = async (work: Work, ended: readonly AppliedAny[], changes: RunChanges): Promise<void> => {
  const extended = new Map(ended.flatMap(row => (row.extended_attempt === null ? [] : [[row.id, row] as const])))
  if (extended.size === 0) return
  const taken = await work.connection.query<ExtensionRow>(TAKE, [arrayLiteral([...extended.keys()], id => id)])
  for (const extension of taken.toSorted((a, b) => a.position - b.position)) {
    const by = extended.get(extension.job_id)!
    if (by.status === 'completed' && by.end.lease.attempt === extension.attempt)
      await join(work, { by, items: JSON.parse(extension.items) as readonly KeptItem[], changes })
  }
}

const join = async (
  { connection, effects, now }: Work,
  { by, items, changes }: { by: AppliedAny; items: readonly KeptItem[]; changes: RunChanges },
): Promise<void> => {
  if (items.length === 0) return
  const scopeSets = new Map<readonly string[], number>()
  const jobs = items.map(({ secrets, scopeSet, ...item }): NewJob => {
    const scopes: string[] = []
    scopeSets.set(scopes, scopeSet)
    return { ...item, secrets: secrets === null ? null : Buffer.from(secrets, 'hex'), scopes }
  })
  const reason = by.is_paused ? 'run_paused' : 'run_concurrency'
  const scopeSetOf = (scopes: readonly string[]) => scopeSets.get(scopes)!
  const joinedAt = await insertJobs(connection, { now, jobs, scopeSetOf, startOf: () => reason })
  effects.jobs.push(...jobs.map(job => toRow(job, reason, joinedAt)))
  effects.addWaiting(by.workspace, jobs.length)
  changes.added(by.run_id!, jobs.length)
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
