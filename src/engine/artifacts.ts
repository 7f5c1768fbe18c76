import { Readable } from 'node:stream'
import type { BlobStore, StoredBlob } from '../blobs/blob-store.ts'
import { isThere } from '../blobs/is-there.ts'
import type { Clock } from '../kernel/clock.ts'
import { invalidField, isDiskFull, MillraceError } from '../kernel/errors.ts'
import { newId } from '../kernel/ids.ts'
import { artifactNameFault, keepsName } from '../model/artifact-name.ts'
import type { Artifact } from '../model/job.ts'
import type { AddArtifactOutcome, Store } from '../store/store.ts'
import type { ArtifactKeeper, NewArtifact } from './engine.ts'
import { noSuchJob } from './not-found.ts'

type KeeperOptions = {
  readonly store: Store
  readonly blobs: BlobStore
  readonly clock: Clock
  /** Limit for one artifact. */
  readonly maxBytes: number
}

type Refusal = Exclude<AddArtifactOutcome['type'], 'added'>

/** Once an upload exceeds this, we check that its name is free before accepting the rest, which may be up to 10 GiB. */
const LARGE_BYTES = 4 * 1024 * 1024

/**
 * Turns uploads into artifacts. The content goes to the blob store first; one statement in the store then makes it visible (invariant 9). A crash between
 * the two leaves an orphan, which `collect-garbage.ts` collects. We check up front for what the store would refuse at the end, but that answer may be
 * stale: the store decides.
 */
export const createArtifactKeeper = (options: KeeperOptions): ArtifactKeeper => ({
  add: async input => {
    const abandon = watchStream(input.content)
    try {
      const fault = artifactNameFault(input.name)
      if (fault !== null) throw invalidField('name', fault)
      await refuseUnknownJob(options.store, input)
      const blob = await upload(options, refuseTakenName(options.store, input))
      return await keep(options, input, blob)
    } catch (error) {
      abandon()
      throw error
    }
  },
})

/**
 * If a stream fails before it is read, nobody listens for its error yet and the process would crash; the reader gets the error later. A stream refused
 * unread may hold an open file, so it is destroyed.
 */
const watchStream = (content: AsyncIterable<Uint8Array>): (() => void) => {
  if (!(content instanceof Readable)) return () => {}
  content.on('error', () => {})
  return () => content.destroy()
}

const refuseUnknownJob = async (store: Store, input: NewArtifact): Promise<void> => {
  const { workspace, jobId, attempt } = input
  const job = await store.getJob({ workspace, jobId })
  if (job === null) throw refusal('not_found', input)
  const live = job.status === 'running' || job.status === 'cancelling'
  if (attempt !== undefined && !(live && job.attempt === attempt)) throw refusal('not_running', input)
}

async function* refuseTakenName(store: Store, input: NewArtifact): AsyncIterable<Uint8Array> {
  const { workspace, jobId, name, attempt } = input
  let size = 0
  let checked = false
  for await (const chunk of input.content) {
    size += chunk.length
    if (size > LARGE_BYTES && !checked) {
      checked = true
      const artifacts = await store.listArtifacts({ workspace, jobId })
      if (artifacts?.some(artifact => artifact.name === name && keepsName(artifact, attempt)))
        throw refusal('name_taken', input)
    }
    yield chunk
  }
}

const upload = async (options: KeeperOptions, content: AsyncIterable<Uint8Array>): Promise<StoredBlob> => {
  try {
    return await options.blobs.put(content, { maxBytes: options.maxBytes })
  } catch (error) {
    if (isDiskFull(error)) throw new MillraceError('insufficient_storage')
    throw error
  }
}

const keep = async (options: KeeperOptions, input: NewArtifact, blob: StoredBlob): Promise<Artifact> => {
  const { store, blobs, clock } = options
  const artifact: Artifact = {
    id: newId(),
    jobId: input.jobId,
    name: input.name,
    attempt: input.attempt ?? null,
    sha256: blob.sha256,
    size: blob.size,
    contentType: mediaType(input.contentType),
    createdAt: clock.now(),
  }
  const outcome = await store.addArtifact({
    workspace: input.workspace,
    artifact,
    blobKey: blob.key,
  })
  // Keep the blob if the call itself fails: the transaction may have committed. The blob is then either in use or an orphan.
  if (outcome.type !== 'added') {
    await blobs.delete(blob.key)
    throw refusal(outcome.type, input)
  }
  // The artifact is stored whether or not this succeeds: a leftover copy is an orphan.
  if (outcome.blobKey !== blob.key) await keepOne(options, { blob, former: outcome.blobKey }).catch(() => {})
  return artifact
}

/**
 * Of two blobs with the same content, keeps the older one, unless a lifecycle rule of the bucket or a person has deleted it. Dropping the new blob then
 * would lose the content for good.
 */
const keepOne = async (
  { store, blobs }: KeeperOptions,
  { blob, former }: { readonly blob: StoredBlob; readonly former: string },
): Promise<void> => {
  const { key, sha256, size } = blob
  const isLost = !(await isWhole(blobs, { key: former, size }))
  const isReplaced = isLost && (await store.replaceBlob({ sha256, from: former, to: key })).applied
  await blobs.delete(isReplaced ? former : key)
}

const isWhole = async (blobs: BlobStore, blob: { key: string; size: number }): Promise<boolean> => {
  try {
    return await isThere(blobs, blob)
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'content_damaged') return false
    throw error
  }
}

/** The uploader chooses this, and it goes into a response header of the download: anything not valid there is replaced. */
const mediaType = (text: string): string =>
  /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(\s*;[ -~]{0,200})?$/.test(text) ? text : 'application/octet-stream'

const refusal = (type: Refusal, input: NewArtifact): MillraceError => {
  switch (type) {
    case 'name_taken':
      return new MillraceError('artifact_exists', `The job already has an artifact ${JSON.stringify(input.name)}.`)
    case 'not_found':
      return noSuchJob(input.jobId)
    case 'not_running':
      return new MillraceError('job_not_running', `Attempt ${input.attempt} of job ${input.jobId} is not running.`)
    default:
      return type satisfies never
  }
}
