import { createHash } from 'node:crypto'
import type { Multipart, MultipartFile } from '@fastify/multipart'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ArtifactKeeper } from '../../engine/engine.ts'
import { invalidField, MillraceError } from '../../kernel/errors.ts'
import { keepsName } from '../../model/artifact-name.ts'
import type { Artifact } from '../../model/job.ts'
import { viewArtifact } from '../../model/job-view.ts'
import type { Store } from '../../store/store.ts'
import { sendKept } from '../idempotency.ts'

/** The most files in one upload; each is held open until the last has arrived. */
export const MOST_FILES = 100

/** Limits for a parser of multipart bodies. The size of a file is limited where it is stored. */
export const partLimits = (most: number) => ({
  files: most,
  parts: most,
  fileSize: Number.POSITIVE_INFINITY,
  fields: 1,
  headerPairs: 50,
})

/**
 * Stores the files of a multipart body as artifacts, all or none. Each file is stored as it arrives. But its stream stays open until the whole body has been
 * read, and fails if the body does.
 */
export const createUpload =
  (services: Uses) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    if (request.keptAnswer) return compareAgain(request, reply)
    const artifacts = await takeFiles(services, request)
    return reply.code(201).send({ artifacts: artifacts.map(viewArtifact) })
  }

type Uses = { readonly engine: { readonly artifacts: ArtifactKeeper }; readonly store: Store }

const takeFiles = async ({ engine, store }: Uses, request: FastifyRequest): Promise<readonly Artifact[]> => {
  const whole = createGate()
  const adding: Promise<Artifact>[] = []
  try {
    const names = new Set<string>()
    for await (const part of partsOf(request)) {
      const { file, filename, mimetype } = fileOf(part, names)
      const held = holdOpen(file, whole.opened)
      const target = targetOf(request)
      const added = engine.artifacts.add({ ...target, name: filename, contentType: mimetype, content: held.content })
      added.catch(() => undefined)
      adding.push(added)
      await Promise.race([held.read, added])
    }
    if (adding.length === 0) throw invalidField('file', 'is required')
    if (adding.length > 1) await refuseTakenNames(store, { ...targetOf(request), names })
    whole.open()
  } catch (error) {
    whole.fail(error as Error)
    await Promise.allSettled(adding)
    throw error
  }
  return Promise.all(adding)
}

/** The store checks each name when it is added. With several files, all names are checked first, so that no file is added alone. */
const refuseTakenNames = async (store: Store, { names, attempt, ...job }: Target & { names: Set<string> }) => {
  const artifacts = await store.listArtifacts(job)
  const taken = artifacts?.find(artifact => names.has(artifact.name) && keepsName(artifact, attempt))
  if (taken)
    throw new MillraceError('artifact_exists', `The job already has an artifact ${JSON.stringify(taken.name)}.`)
}

/** The parts as they arrive. Errors of the parser are the sender's fault. */
export async function* partsOf(request: FastifyRequest): AsyncGenerator<Multipart> {
  try {
    yield* request.parts()
  } catch (error) {
    throw unreadable(error)
  }
}

/** The parser's limits have a status. Its other errors mean that the body is malformed. */
export const unreadable = (error: unknown): unknown =>
  error instanceof Error && 'statusCode' in error
    ? error
    : new MillraceError('bad_request', 'The body ends too early or is not multipart/form-data.')

type Target = { readonly workspace: string; readonly jobId: string; readonly attempt?: number }

const targetOf = ({ caller, params }: FastifyRequest): Target => ({
  workspace: caller.workspace,
  jobId: (params as { job_id: string }).job_id,
  ...(caller.job && { attempt: caller.job.attempt }),
})

const fileOf = (part: Multipart, names: Set<string>): MultipartFile => {
  if (part.type !== 'file' || part.fieldname !== 'file')
    throw invalidField(part.fieldname, 'is not a known part: files are sent as "file"')
  if (!part.filename) throw invalidField('file', 'must have a filename')
  if (names.has(part.filename))
    throw new MillraceError('artifact_exists', `The upload has two files ${JSON.stringify(part.filename)}.`)
  names.add(part.filename)
  return part
}

type Gate = { readonly opened: Promise<void>; open(): void; fail(error: Error): void }

const createGate = (): Gate => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => undefined)
  return { opened: promise, open: resolve, fail: reject }
}

/** The content of a stream, held open until the gate opens. `read` resolves when all of it has been read. */
const holdOpen = (stream: AsyncIterable<Uint8Array>, opened: Promise<void>) => {
  const { promise: read, resolve } = Promise.withResolvers<void>()
  async function* content(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of stream) yield chunk
    } catch (error) {
      throw unreadable(error)
    } finally {
      resolve()
    }
    await opened
  }
  return { content: content(), read }
}

/** Repeats the answer to an upload with the same `Idempotency-Key`, if the files are the same. */
const compareAgain = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const kept = request.keptAnswer!
  const { artifacts } = JSON.parse(kept.body) as { artifacts: { name: string; sha256: string }[] }
  const before = new Map(artifacts.map(artifact => [artifact.name, artifact.sha256]))
  let files = 0
  for await (const part of partsOf(request)) {
    if (part.type !== 'file') throw new MillraceError('idempotency_mismatch')
    const sha256 = createHash('sha256')
    for await (const chunk of holdOpen(part.file, Promise.resolve()).content) sha256.update(chunk)
    if (before.get(part.filename) !== sha256.digest('hex')) throw new MillraceError('idempotency_mismatch')
    files++
  }
  if (files !== before.size) throw new MillraceError('idempotency_mismatch')
  return sendKept(reply, kept)
}
