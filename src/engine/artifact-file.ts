import { createReadStream } from 'node:fs'
import { MillraceError } from '../kernel/errors.ts'
import type { ClaimedJob } from '../model/job.ts'
import type { ArtifactKeeper } from './engine.ts'

/** The content type of a worker's file: workers do not know the real one. */
const UNKNOWN_TYPE = 'application/octet-stream'

type Input = {
  readonly artifacts: ArtifactKeeper
  readonly job: ClaimedJob
  readonly file: { readonly name: string; readonly path: string }
}

/** Stores a file that an attempt left behind. On a full disk it rejects with ENOSPC, like the operating system. */
export const storeArtifactFile = async ({ artifacts, job, file }: Input): Promise<'added' | 'name_taken'> => {
  try {
    const content = createReadStream(file.path)
    await artifacts.add({
      workspace: job.workspace,
      jobId: job.id,
      attempt: job.attempt,
      name: file.name,
      contentType: UNKNOWN_TYPE,
      content,
    })
    return 'added'
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    if (error.code === 'artifact_exists') return 'name_taken'
    if (error.code === 'insufficient_storage') throw Object.assign(new Error(error.message), { code: 'ENOSPC' })
    throw error
  }
}
