import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { invalid, invalidField, MillraceError } from '../../kernel/errors.ts'
import type { SubmittedJob } from '../../store/store.ts'
import { submitterOf } from '../auth/submitter.ts'
import { keptWithSubmit } from '../idempotency.ts'
import type { Services } from '../services.ts'
import { partsOf, unreadable } from './upload.ts'

/** How the content of a request becomes the body of an import job. */
export type ImportReception = {
  /** The allowed names of the only part in a multipart body. */
  readonly parts: readonly string[]
  /** The job body for content at this URL. `part` is null before the part has arrived, and for a body that is itself the content. */
  readonly bodyWith: (url: string, part: ContentPart | null) => Readonly<Record<string, unknown>>
}

/** The content part of a multipart body: its name, and its file's name and type. */
export type ContentPart = { readonly name: string; readonly filename: string; readonly type: string }

type ReceivedImport = { readonly job: SubmittedJob; readonly bytes: number; readonly sha256: string }

/** A well-formed URL that refers to no content. */
const NOT_YET = `upload:${'0'.repeat(32)}.0.${'A'.repeat(43)}`

/** Stores the content of a request, then submits the job that imports it. Checks everything it can before gigabytes arrive. */
export const createImportReceiver = ({ uploads, engine, config }: Pick<Services, 'uploads' | 'engine' | 'config'>) => {
  return async (request: FastifyRequest, { parts, bodyWith }: ImportReception): Promise<ReceivedImport> => {
    const submitter = submitterOf(request)
    const { workspace } = submitter
    inQuery(() => engine.check({ submitter, bodies: [bodyWith(NOT_YET, null)], path: '' }))
    refuseTooLarge(request, config.maxUploadBytes)
    const { url, bytes, sha256, part } = await takeContent(request, parts, content =>
      uploads.put({ workspace, content, maxBytes: config.maxUploadBytes }),
    )
    const kept = keptWithSubmit(request, { content: { bytes, sha256 } })
    try {
      const [job] = await engine.submit({ submitter, bodies: [bodyWith(url, part)], path: '', ...kept })
      return { job: job!, bytes, sha256 }
    } catch (error) {
      // After other failures the job may have been committed, and will read the content.
      if (error instanceof MillraceError && error.status < 500) await uploads.remove({ workspace, url })
      throw error
    }
  }
}

/** Reports faults in fields of the body as faults in query parameters. */
export const inQuery = (check: () => void): void => {
  try {
    check()
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'invalid') throw error
    throw invalid(error.errors.map(({ path, message }) => ({ path: path.replace(/^import\./, ''), message })))
  }
}

const refuseTooLarge = ({ headers }: FastifyRequest, most: number): void => {
  if (Number(headers['content-length'] ?? 0) > most && !isMultipart(headers))
    throw new MillraceError('too_large', `The content may have ${most} bytes (MILLRACE_MAX_UPLOAD_BYTES).`)
}

/** Whether the body is multipart/form-data. */
export const isMultipart = (headers: FastifyRequest['headers']): boolean =>
  /^multipart\/form-data\b/i.test(headers['content-type'] ?? '')

/** Passes the content on as it arrives, and hashes it. */
export const takeContent = async <T>(
  request: FastifyRequest,
  parts: readonly string[],
  keep: (content: AsyncIterable<Uint8Array>) => Promise<T>,
) => {
  const hash = createHash('sha256')
  let part: ContentPart | null = null
  async function* hashed(): AsyncGenerator<Uint8Array> {
    const content = isMultipart(request.headers) ? fileOf(request, parts, found => (part = found)) : bodyOf(request)
    for await (const chunk of content) {
      hash.update(chunk)
      yield chunk
    }
  }
  try {
    const kept = await keep(hashed())
    return { ...kept, sha256: hash.digest('hex'), part: part as ContentPart | null }
  } finally {
    // Drain a refused body: unread, it would block the next request on the connection.
    request.raw.unpipe()
    request.raw.resume()
  }
}

/** The bytes of an unparsed body. */
export async function* bodyOf({ raw }: FastifyRequest): AsyncGenerator<Uint8Array> {
  try {
    // Do not destroy the stream when its reader stops early: the connection is needed for the answer.
    yield* raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
  } catch {
    throw new MillraceError('bad_request', 'The body ends too early.')
  }
}

async function* fileOf(
  request: FastifyRequest,
  names: readonly string[],
  found: (part: ContentPart) => void,
): AsyncGenerator<Uint8Array> {
  let files = 0
  const wanted = names.map(name => `"${name}"`).join(' or ')
  for await (const part of partsOf(request)) {
    if (part.type !== 'file' || !names.includes(part.fieldname))
      throw invalidField(part.fieldname, `is not a known part: the content is sent as ${wanted}`)
    if (++files > 1) throw invalidField(part.fieldname, 'must be there only once')
    found({ name: part.fieldname, filename: part.filename, type: part.mimetype })
    try {
      yield* part.file as AsyncIterable<Uint8Array>
    } catch (error) {
      throw unreadable(error)
    }
  }
  if (files === 0) throw invalid([{ path: names[0]!, message: 'is required' }])
}
