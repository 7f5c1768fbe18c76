import { existsSync, statSync } from 'node:fs'
import { basename, join, relative, resolve, sep } from 'node:path'
import { type Incoming, saveTo, saveToFile } from '../client/download.ts'
import type { ArtifactAnswer } from '../client/job-answer.ts'
import { jobPath } from '../client/jobs.ts'
import { call } from '../client/request.ts'
import { findServer, type ServerAddress } from '../client/server-address.ts'
import { uploadArtifacts } from '../client/upload.ts'
import type { CliContext } from '../context.ts'
import type { Define } from '../define.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { findFile } from '../local-file.ts'
import { sizeText } from '../terminal/quantity-text.ts'
import { showList } from '../terminal/show-list.ts'

type ArtifactsOptions = { readonly output?: string; readonly upload?: readonly string[]; readonly json?: boolean }
type Place = { readonly server: ServerAddress; readonly jobId: string; readonly context: CliContext }

/** `millrace artifacts ID [NAME]`: lists a job's artifacts, downloads one or all, or uploads files to it. */
export const artifacts: Define = (command, context) => {
  command
    .argument('<id>', 'id of the job')
    .argument('[name]', 'name or id of one artifact, to download it')
    .option('-o, --output <path>', 'a file for one artifact (- is standard output), or a directory for all')
    .option('-u, --upload <file...>', 'upload these files to the job')
    .option('--json', 'print JSON')
    .action(async (jobId: string, name: string | undefined, options: ArtifactsOptions) => {
      refuseIgnored(name, options)
      const place = { server: findServer(context), jobId, context }
      if (options.upload) return show(place, await upload(place, options.upload), options)
      const { artifacts: all } = await call<{ artifacts: readonly ArtifactAnswer[] }>(place.server, {
        path: jobPath(jobId, '/artifacts'),
      })
      if (name !== undefined) return downloadOne(place, find(all, name), options.output)
      if (options.output !== undefined) return downloadAll(place, all, options.output)
      show(place, all, options)
    })
}

const refuseIgnored = (name: string | undefined, { output, upload, json }: ArtifactsOptions): void => {
  const refuse = (message: string): never => {
    throw new CliFailure(message, { exitCode: EXIT.usage })
  }
  if (upload && (name !== undefined || output !== undefined)) refuse('--upload takes neither a name nor --output')
  if (json && (name !== undefined || output !== undefined)) refuse('--json cannot be used with a download')
  if (output === '-' && name === undefined) refuse('--output - takes the name of one artifact')
}

const COLUMNS = [
  { title: 'ARTIFACT', value: (artifact: ArtifactAnswer) => artifact.artifact_id },
  { title: 'SIZE', align: 'right' as const, value: (artifact: ArtifactAnswer) => sizeText(artifact.size) },
  { title: 'SHA-256', value: (artifact: ArtifactAnswer) => artifact.sha256.slice(0, 12) },
  { title: 'NAME', value: (artifact: ArtifactAnswer) => artifact.name },
]

const show = ({ context }: Place, all: readonly ArtifactAnswer[], { json }: ArtifactsOptions): void =>
  showList({ context, answer: { artifacts: all }, rows: all, columns: COLUMNS, things: 'artifacts', json })

const upload = async (
  { server, jobId, context }: Place,
  files: readonly string[],
): Promise<readonly ArtifactAnswer[]> => {
  const found = await Promise.all(files.map(file => findFile(file, context)))
  return (await uploadArtifacts({ server, jobId, files: found, terminal: context.stderr })).artifacts
}

const find = (all: readonly ArtifactAnswer[], name: string): ArtifactAnswer => {
  const found = all.find(artifact => artifact.name === name || artifact.artifact_id === name)
  if (found) return found
  const names = all.map(artifact => artifact.name).join(', ') || 'none'
  throw new CliFailure(`the job has no artifact ${JSON.stringify(name)}`, {
    exitCode: EXIT.failed,
    hint: `It has: ${names}`,
  })
}

const downloadOne = async (place: Place, artifact: ArtifactAnswer, output: string | undefined): Promise<void> => {
  if (output === '-') return saveTo(incoming(place, artifact), place.context.stdout)
  const target = resolve(place.context.directory, output ?? basename(artifact.name))
  const isDirectory = existsSync(target) && statSync(target).isDirectory()
  await saveToFile(incoming(place, artifact), isDirectory ? join(target, basename(artifact.name)) : target)
}

const downloadAll = async (place: Place, all: readonly ArtifactAnswer[], output: string): Promise<void> => {
  const directory = resolve(place.context.directory, output)
  for (const artifact of all) {
    await saveToFile(incoming(place, artifact), pathInside(directory, artifact.name))
  }
}

const incoming = (
  { server, jobId, context }: Place,
  { artifact_id: id, name, size, sha256 }: ArtifactAnswer,
): Incoming => ({
  server,
  path: jobPath(jobId, `/artifacts/${encodeURIComponent(id)}`),
  label: name,
  size,
  sha256,
  terminal: context.stderr,
})

/** Names come from the server: none may lead outside the requested directory. */
const pathInside = (directory: string, name: string): string => {
  const path = resolve(directory, name)
  const way = relative(directory, path)
  if (way !== '' && way !== '..' && !way.startsWith(`..${sep}`)) return path
  throw new CliFailure(`the artifact ${JSON.stringify(name)} would lie outside ${directory}`, { exitCode: EXIT.server })
}
