import { findRole } from '../../../data/pipes/check-pipe.ts'
import type { CopySpec } from '../../../executors/copy/spec.ts'
import type { DeleteSpec } from '../../../executors/delete/spec.ts'
import type { ImportFields } from '../../../executors/import/spec.ts'
import type { PopulateSpec } from '../../../executors/populate/spec.ts'
import type { Catalogue } from '../../../model/catalogue.ts'
import { findDataSource, findPipe } from '../../../model/catalogue-graph.ts'
import type { DataSource, WriteMode } from '../../../model/data-source.ts'
import type { DataJob } from './words.ts'

/** The bodies of data jobs, as far as this API shows them. Secrets are stored as `"***"`. */
export type JobSpec = {
  readonly import?: ImportFields
  readonly populate?: PopulateSpec['populate']
  readonly copy?: CopySpec['copy']
  readonly delete?: DeleteSpec['delete']
  readonly mode?: WriteMode
}

/** The body with which a job was submitted. */
export const specOf = (job: DataJob): JobSpec => JSON.parse(job.spec) as JobSpec

/** An object named by a job: its current state, or only the name. */
export type Named<T> = { readonly name: string; readonly found: T | undefined }

/** The data source that a job writes to; null: none, or its pipe no longer has that role. */
export const targetOf = (catalogue: Catalogue, job: DataJob, spec: JobSpec): Named<DataSource> | null => {
  const name = job.dataSource ?? targetOfNode(catalogue, spec)
  if (name === null) return null
  const found = findDataSource(catalogue, name)
  return { name: found?.name ?? name, found }
}

const targetOfNode = (catalogue: Catalogue, { populate, copy }: JobSpec): string | null => {
  const role =
    populate !== undefined
      ? findRole(catalogue, 'materialized', populate)
      : copy !== undefined
        ? findRole(catalogue, 'copy', copy)
        : null
  return role === null || typeof role === 'string' ? null : role.role.into
}

/** `{pipe_id, pipe_name}` of a job that runs a pipe; `{}` of others. The id is null if the pipe is gone. */
export const pipeOf = (catalogue: Catalogue, { pipe }: DataJob) => {
  if (pipe === null) return {}
  const found = findPipe(catalogue, pipe)
  return { pipe_id: found?.id ?? null, pipe_name: found?.name ?? pipe }
}
