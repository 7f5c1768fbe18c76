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
  return call<{ artifacts: readonly ArtifactAnswer[] }>(server, {
    method: 'POST',
    path: jobPath(jobId, '/artifacts'),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: multipart(files, boundary, terminal),
  })
}

/** multipart/form-data (RFC 7578), generated while sending: `FormData` would need the whole file as a blob first. */
async function* multipart(
  files: readonly LocalFile[],
  boundary: string,
  terminal: NodeJS.WriteStream,
): AsyncGenerator<Uint8Array> {
  for (const file of files) {
    const name = basename(file.path)
    yield Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${escapeName(name)}"\r\n` +
        'content-type: application/octet-stream\r\n\r\n',
    )
    yield* progressBar(terminal, name, file.size)(fileContent(file))
    yield Buffer.from('\r\n')
  }
  yield Buffer.from(`--${boundary}--\r\n`)
}

/** Like browsers. */
const escapeName = (name: string): string => name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
