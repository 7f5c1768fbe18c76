import { randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import { fileContent, type LocalFile } from '../local-file.ts'
import { progressBar } from '../terminal/progress-bar.ts'
import type { ArtifactAnswer } from './job-answer.ts'
import { jobPath } from './jobs.ts'
import { call } from './request.ts'
import type { ServerAddress } from './server-address.ts'

type Upload = {
  readonly server: ServerAddress
  readonly jobId: string
  /** Each becomes an artifact with its name. */
  readonly files: readonly LocalFile[]
  /** Where progress is shown. */
  readonly terminal: NodeJS.WriteStream
}

/** Streams files to a job as artifacts, all in one request. */
export const uploadArtifacts = async ({ server, jobId, files, terminal }: Upload) => {
  const boundary = `millrace-${randomUUID()}`
  const end = Buffer.from(`--${boundary}--\r\n`)
  const parts = files.map(file => ({ file, head: headOf(file, boundary) }))
  const length = parts.reduce((sum, { file, head }) => sum + head.length + file.size + LINE_END.length, end.length)
  return call<{ artifacts: readonly ArtifactAnswer[] }>(server, {
    method: 'POST',
    path: jobPath(jobId, '/artifacts'),
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      // Without it, a refusal may be lost, as for an import. Files of /proc have content, but no size.
      ...(files.every(({ size }) => size > 0) && { 'content-length': String(length) }),
    },
    body: multipart({ parts, end, terminal }),
  })
}

type Part = { readonly file: LocalFile; readonly head: Buffer }

const LINE_END = Buffer.from('\r\n')

const headOf = ({ path }: LocalFile, boundary: string): Buffer =>
  Buffer.from(
    `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${escapeName(basename(path))}"\r\n` +
      'content-type: application/octet-stream\r\n\r\n',
  )

/** multipart/form-data (RFC 7578), generated while sending: `FormData` would need the whole file as a blob first. */
async function* multipart({
  parts,
  end,
  terminal,
}: {
  readonly parts: readonly Part[]
  readonly end: Buffer
  readonly terminal: NodeJS.WriteStream
}): AsyncGenerator<Uint8Array> {
  for (const { file, head } of parts) {
    yield head
    yield* progressBar(terminal, basename(file.path), file.size)(fileContent(file))
    yield LINE_END
  }
  yield end
}

/** Like browsers. */
const escapeName = (name: string): string => name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
