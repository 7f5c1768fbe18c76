import { createHash } from 'node:crypto'
import type { MultipartFile } from '@fastify/multipart'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ArtifactKeeper } from '../engine/engine.ts'
import { MillraceError } from '../kernel/errors.ts'
import type { Artifact } from '../model/job.ts'
import { sendKept } from './idempotency.ts'
import { viewArtifact } from './job-view.ts'
import { invalid } from './problem.ts'

/** Files of one upload; each is held open until the last has come. */
export const MOST_FILES = 100

/**
 * Streams the files of a multipart body into artifacts. All of them become visible or none: each file is stored as it
 * comes, but its stream is held open until the whole body has been read, and breaks when the body does.
 */
export const createUpload =
  ({ engine }: { engine: { readonly artifacts: ArtifactKeeper } }) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    if (request.keptAnswer) return compareAgain(request, reply)
    const artifacts = await takeFiles(request, engine.artifacts)
    return reply.code(201).send({ artifacts: artifacts.map(viewArtifact) })
  }

const takeFiles = async (request: FastifyRequest, keeper: ArtifactKeeper): Promise<readonly Artifact[]> => {
  const whole = createGate()
  const adding: Promise<Artifact>[] = []
  try {
    const names = new Set<string>()
    for await (const part of request.parts()) {
      const file = fileOf(part as { type: string; fieldname: string } & MultipartFile, names)
      const held = holdOpen(file.file, whole.opened)
      const added = keeper.add({
        ...targetOf(request),
        name: file.filename,
        contentType: file.mimetype,
        content: held.content,
      })
      added.catch(() => undefined)
      adding.push(added)
      await Promise.race([held.read, added])
    }
    if (adding.length === 0) throw invalid([{ path: 'file', message: 'is required' }])
    whole.open()
  } catch (error) {
    whole.fail(error as Error)
    await Promise.allSettled(adding)
    throw error
  }
  return Promise.all(adding)
}

const targetOf = ({ caller, params }: FastifyRequest) => ({
  workspace: caller.workspace,
  jobId: (params as { job_id: string }).job_id,
  ...(caller.job && { attempt: caller.job.attempt }),
})

const fileOf = (part: { type: string; fieldname: string } & MultipartFile, names: Set<string>): MultipartFile => {
  if (part.type !== 'file' || part.fieldname !== 'file')
    throw invalid([{ path: part.fieldname, message: 'is not a known part: files are sent as "file"' }])
  if (!part.filename) throw invalid([{ path: 'file', message: 'must have a filename' }])
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

/** The content of a stream that does not end before the gate opens. `read` resolves when all of it has been read. */
const holdOpen = (stream: AsyncIterable<Uint8Array>, opened: Promise<void>) => {
  const { promise: read, resolve } = Promise.withResolvers<void>()
  async function* content(): AsyncGenerator<Uint8Array> {
    try {
      yield* stream
    } finally {
      resolve()
    }
    await opened
  }
  return { content: content(), read }
}

/** An upload with an `Idempotency-Key` that was answered before: the same files get the same answer. */
const compareAgain = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const kept = request.keptAnswer!
  const { artifacts } = JSON.parse(kept.body) as { artifacts: { name: string; sha256: string }[] }
  const before = new Map(artifacts.map(artifact => [artifact.name, artifact.sha256]))
  let files = 0
  for await (const part of request.parts()) {
    if (part.type !== 'file') throw new MillraceError('idempotency_mismatch')
    const sha256 = createHash('sha256')
    for await (const chunk of part.file) sha256.update(chunk)
    if (before.get(part.filename) !== sha256.digest('hex')) throw new MillraceError('idempotency_mismatch')
    files++
  }
  if (files !== before.size) throw new MillraceError('idempotency_mismatch')
  return sendKept(reply, kept)
}
