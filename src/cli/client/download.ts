import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable, Transform, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { progressBar } from '../terminal/progress-bar.ts'
import type { ArtifactAnswer } from './job-answer.ts'
import { jobPath } from './jobs.ts'
import { send } from './request.ts'
import type { ServerAddress } from './server-address.ts'

type Download = {
  readonly server: ServerAddress
  readonly jobId: string
  readonly artifact: ArtifactAnswer
  /** Where progress is shown. */
  readonly terminal: NodeJS.WriteStream
}

/** Downloads an artifact to a file, which is there only when it is whole and its hash is right. */
export const downloadToFile = async (input: Download, file: string): Promise<void> => {
  const partial = `${file}.part`
  await mkdir(dirname(file), { recursive: true })
  try {
    await downloadTo(input, createWriteStream(partial))
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

/** Downloads an artifact into a stream, which it ends. Throws `CliFailure` when what came is not what the list promised. */
export const downloadTo = async ({ server, jobId, artifact, terminal }: Download, target: Writable): Promise<void> => {
  const path = jobPath(jobId, `/artifacts/${encodeURIComponent(artifact.artifact_id)}`)
  const response = await send(server, { path })
  const source = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body)
  await pipeline(source, progressBar(terminal, artifact.name, artifact.size), checkHash(artifact), target)
}

const checkHash = (artifact: ArtifactAnswer): Transform => {
  const hash = createHash('sha256')
  return new Transform({
    transform(chunk: Uint8Array, _encoding, next) {
      hash.update(chunk)
      next(null, chunk)
    },
    flush(next) {
      const whole = hash.digest('hex') === artifact.sha256
      next(whole ? null : new CliFailure(`${artifact.name} arrived damaged; try again`, { exitCode: EXIT.server }))
    },
  })
}
