import { Masker, maskText } from '../logs/masker.ts'
import type { SecretBox } from '../store/secrets.ts'
import type { Store } from '../store/store.ts'
import type { Engine, JobTokens } from './engine.ts'

type Dependencies = { readonly store: Store; readonly secrets: SecretBox; readonly jobTokens: JobTokens }

/** Progress that a job reports through the API, not through its worker. The worker would know the job's secrets; here they must be decrypted for masking. */
export const createTellProgress = ({ store, secrets, jobTokens }: Dependencies): Engine['tellProgress'] => {
  const mask = async (message: string, job: Parameters<Engine['tellProgress']>[0]): Promise<string> => {
    const { workspace, jobId, attempt } = job
    const sealed = (await store.getSubmission({ workspace, jobId }))?.secrets ?? null
    const own = sealed === null ? [] : Object.values(secrets.open(sealed))
    return maskText(Masker.for(attempt === null ? own : [jobTokens.issue(jobId, attempt), ...own]), message)
  }

  return async input => {
    const { workspace, jobId } = input
    const { percentage, message } = input.progress
    const progress = { percentage, message: message === null ? null : await mask(message, input) }
    return store.setProgress({ workspace, jobId, progress })
  }
}
