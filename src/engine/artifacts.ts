import { Readable } from 'node:stream'
import type { BlobStore, StoredBlob } from '../blobs/blob-store.ts'
import { isThere } from '../blobs/is-there.ts'
import type { Clock } from '../kernel/clock.ts'
import { invalidField, isDiskFull, MillraceError } from '../kernel/errors.ts'
import { newId } from '../kernel/ids.ts'
import { artifactNameFault } from '../model/artifact-name.ts'
import type { Artifact } from '../model/job.ts'
import type { AddArtifactOutcome, Store } from '../store/store.ts'
import type { ArtifactKeeper, NewArtifact } from './engine.ts'

type KeeperOptions = {
  readonly store: Store
  readonly blobs: BlobStore
  readonly clock: Clock
  /** Of one artifact. */
  readonly maxBytes: number
}

type Refusal = Exclude<AddArtifactOutcome['type'], 'added'>

/** An upload of more than this is worth a look whether its name is free, before the rest of up to 10 GiB is sent. */
const LARGE_BYTES = 4 * 1024 * 1024

/**
 * Turns uploads into artifacts. The content goes to the blob store first and becomes visible by one statement of the
 * store (invariant 9). What a crash leaves between the two is an orphan, and orphans are collected (`collect-garbage.ts`).
 * What the store would refuse in the end is asked before, but the store decides: the early answer may be out of date.
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
 * A stream that fails before it is read would end the process, for nobody listens yet; its error is thrown where it is
 * read. One that is refused unread has an open file to close.
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
  const { workspace, jobId, name } = input
  let size = 0
  let checked = false
  for await (const chunk of input.content) {
    size += chunk.length
    if (size > LARGE_BYTES && !checked) {
      checked = true
      const artifacts = await store.listArtifacts({ workspace, jobId })
      if (artifacts?.some(artifact => artifact.name === name)) throw refusal('name_taken', input)
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
    sha256: blob.sha256,
    size: blob.size,
    contentType: mediaType(input.contentType),
    createdAt: clock.now(),
  }
  const outcome = await store.addArtifact({
    workspace: input.workspace,
    artifact,
    blobKey: blob.key,
    ...(input.attempt === undefined ? {} : { attempt: input.attempt }),
  })
  // Not deleted when the call itself fails: it may have been committed. Then the blob is in use, else an orphan.
  if (outcome.type !== 'added') {
    await blobs.delete(blob.key)
    throw refusal(outcome.type, input)
  }
  // The artifact is there, whatever comes of this: a copy that is left is an orphan.
  if (outcome.blobKey !== blob.key) await keepOne(options, { blob, former: outcome.blobKey }).catch(() => {})
  return artifact
}

/**
 * Of two blobs of one content the former stays, unless a rule of the bucket or a hand has removed it: else it would be lost for good, and
 * with it what was just sent.
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

/** It comes from the uploader and goes into a header of the download: only what can stand there is kept. */
const mediaType = (text: string): string =>
  /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(\s*;[ -~]{0,200})?$/.test(text) ? text : 'application/octet-stream'

const refusal = (type: Refusal, input: NewArtifact): MillraceError => {
  switch (type) {
    case 'name_taken':
      return new MillraceError('artifact_exists', `The job already has an artifact ${JSON.stringify(input.name)}.`)
    case 'not_found':
      return new MillraceError('not_found', `There is no job ${input.jobId}.`)
    case 'not_running':
      return new MillraceError('job_not_running', `Attempt ${input.attempt} of job ${input.jobId} is not running.`)
    default:
      return type satisfies never
  }
}
