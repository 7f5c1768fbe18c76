import type { Lease, Progress } from '../../../model/job.ts'
import type { Writer } from '../writer.ts'
import { findHeld, findSeq } from './live-job.ts'

type SetProgress = {
  readonly workspace: string
  readonly jobId: string
  readonly progress: Progress
  readonly lease?: Lease
}

export const setProgress = ({ db }: Writer, { workspace, jobId, progress, lease }: SetProgress) => {
  const seq = findSeq(db, workspace, jobId)
  if (seq === undefined) return 'not_found'
  if (lease && (lease.jobId !== jobId || !findHeld(db, lease))) return 'not_running'
  const set = db.run(
    "UPDATE live SET progress = ? WHERE seq = ? AND status IN ('running', 'cancelling')",
    JSON.stringify(progress),
    seq,
  )
  return set > 0 ? 'set' : 'not_running'
}
