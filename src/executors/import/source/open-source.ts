import type { Uploads } from '../../../data/uploads.ts'
import { MillraceError } from '../../../kernel/errors.ts'
import type { GuardedFetch } from '../../../kernel/guarded-fetch.ts'
import { shownUrl } from '../../shown-url.ts'
import { ImportFailure } from '../import-failure.ts'
import type { ImportFields } from '../spec.ts'
import { fileSource } from './file-source.ts'
import { httpSource } from './http-source.ts'
import { s3Address } from './s3-source.ts'
import type { Source } from './source.ts'

type Input = {
  readonly fields: Omit<ImportFields, 'datasource'>
  readonly workspace: string
  readonly fetch: GuardedFetch
  readonly uploads: Uploads
  readonly importDirs: readonly string[]
  readonly maxBytes: number
  readonly idleTimeoutMs: number
  readonly signal: AbortSignal
}

/** Opens the source of an import's content. Throws `ImportFailure`. */
export const openSource = async (input: Input): Promise<Source> => {
  const { fields, workspace, uploads, importDirs } = input
  const { protocol } = new URL(fields.url)
  if (protocol === 'file:') return fileSource(fields.url, importDirs)
  if (protocol === 'upload:') {
    const upload = await uploads.open({ workspace, url: fields.url }).catch(toRefusal)
    if (upload === null)
      throw new ImportFailure('source_refused', 'The content that was sent is gone, or never was: send it again.')
    return { size: () => upload.bytes, content: upload.content, shown: 'the upload' }
  }
  const url = protocol === 's3:' ? await s3Address(fields) : fields.url
  return httpSource({ ...input, url, shown: shownUrl(fields.url) })
}

/** A retry would fail the same way. */
const toRefusal = (error: unknown): never => {
  if (!(error instanceof MillraceError) || error.code !== 'content_damaged') throw error
  throw new ImportFailure('source_refused', `${error.message} Send it again.`)
}
