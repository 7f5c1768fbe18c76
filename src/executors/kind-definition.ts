import type { TSchema } from 'typebox'
import type { FieldError } from '../kernel/errors.ts'
import type { Catalogue } from '../model/catalogue.ts'
import type { NewJob } from '../model/job.ts'
import type { Kind } from '../model/kind.ts'
import type { Scope } from '../model/scopes.ts'

/** What a server must know of a kind to accept its jobs. Running them is up to the `Executor`, possibly in another process. */
export type KindDefinition = {
  readonly kind: Kind
  /** Schemas of the fields of a job body specific to the kind. */
  readonly properties: Readonly<Record<string, TSchema>>
  /** Paths of the string maps in the body that may hold secrets. */
  readonly secretMaps: readonly string[]
  /** Default and maximum of `timeout_seconds`. null: none. */
  readonly timeout: { readonly defaultMs: number | null; readonly maximumMs: number | null }
  /**
   * What a workflow or a trigger merges into a body of this kind: the body overrides the workflow's environment; the trigger's parameters override the body.
   */
  readonly merges: { readonly environment: boolean; readonly parameters: boolean }
  /** Checks beyond the schema (for example, that a function exists). Paths are relative to the body. Empty if all is right. */
  check?(body: Readonly<Record<string, unknown>>): readonly FieldError[]
  /** Checks a name that bodies of this kind use (for example, that a function exists). null: no fault. */
  nameFault?(name: string): string | null
  /** A scope that some bodies need in addition to `jobs:run:<kind>`. `because` gives the reason, as a phrase that follows the scope's name. */
  readonly furtherRight?: {
    readonly scope: Scope
    readonly because: string
    isTaken(body: Readonly<Record<string, unknown>>): boolean
  }
  /** A key for mutual exclusion, from a checked body: only one job per key runs at a time. */
  exclusiveKey?(body: Readonly<Record<string, unknown>>): string | null
  /** The data source and pipe of a job, as far as the checked body alone tells. */
  subjects?(body: Readonly<Record<string, unknown>>): Subjects
  /** Like `subjects`, when the data sources and pipes of the workspace are needed. Evaluated when the job is stored. */
  subjectsIn?(body: Readonly<Record<string, unknown>>, catalogue: Catalogue): Subjects
  /** Checks against the data sources and pipes of the workspace. Applied only to jobs submitted on their own. */
  checkIn?(
    body: Readonly<Record<string, unknown>>,
    readCatalogue: () => Promise<Catalogue>,
  ): Promise<readonly FieldError[]>
}

/** The data source a job writes to and the pipe it runs, by name, for filtering lists. */
export type Subjects = Pick<NewJob, 'dataSource' | 'pipe'>
