import { expect } from 'vitest'
import type { ClaimedJob } from '../../../src/model/job.ts'
import type { NewPublication } from '../../../src/store/data-store.ts'
import { leaseOf, type Scene, WORKSPACE } from './scene.ts'

export const PUBLICATION: NewPublication = {
  stagingDatabase: 'staging_1',
  tables: [
    { name: 'events', uuid: 'd9b4a0c2-0000-4000-8000-000000000001' },
    { name: 'events_quarantine', uuid: 'd9b4a0c2-0000-4000-8000-000000000002' },
  ],
  outcome: '{"rows":3,"text":"ä"}',
}

/** Repeated steps of tests of publications. */
export const publicationSteps = (scene: () => Scene) => {
  const commit = (job: ClaimedJob, publication = PUBLICATION) =>
    scene().store.commitPublication({ workspace: job.workspace, lease: leaseOf(job), publication })
  const get = (jobId: string) => scene().store.getPublication({ workspace: WORKSPACE, jobId })
  /** The job is claimed again and now completes. */
  const finish = async (jobId: string) => {
    const next = await scene().claimOne('worker-2')
    expect(next.id).toBe(jobId)
    expect(await get(jobId)).toMatchObject({ ...PUBLICATION, jobEnded: false })
    expect(await scene().end(next)).toMatchObject({ applied: true, status: 'completed' })
    expect(await scene().job(jobId)).toMatchObject({ status: 'completed', statusReason: null, errorMessage: null })
  }
  return { commit, get, finish }
}
