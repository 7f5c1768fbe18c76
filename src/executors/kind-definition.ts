import type { TSchema } from 'typebox'
import type { FieldError } from '../kernel/errors.ts'
import type { Catalogue } from '../model/catalogue.ts'
import type { NewJob } from '../model/job.ts'
import type { Kind } from '../model/kind.ts'
import type { Scope } from '../model/scopes.ts'

/** What a server must know of a kind to take its jobs; carrying them out is the `Executor`'s, maybe in another process. */
export type KindDefinition = {
  readonly kind: Kind
  /** Schemas of the kind's own fields of a job body. */
  readonly properties: Readonly<Record<string, TSchema>>
  /** Where text maps lie in the body that may hold secrets. */
  readonly secretMaps: readonly string[]
  /** `timeout_seconds` of an attempt when the body says none, and the most it may say; null: none. */
  readonly timeout: { readonly defaultMs: number | null; readonly maximumMs: number | null }
  /** What a workflow or a trigger merges into a body of this kind: its own values win over a workflow's, a trigger's over its own. */
  readonly merges: { readonly environment: boolean; readonly parameters: boolean }
  /** What no schema can judge (a function that does not exist): field paths below the body, empty when all is right. */
  check?(body: Readonly<Record<string, unknown>>): readonly FieldError[]
  /** What is wrong with the name of something that bodies of this kind name (a function that does not exist); null: nothing. */
  nameFault?(name: string): string | null
  /** A right that some bodies take beside `jobs:run:<kind>`, which `because` says in words that follow the name of the scope. */
  readonly furtherRight?: {
    readonly scope: Scope
    readonly because: string
    isTaken(body: Readonly<Record<string, unknown>>): boolean
  }
  /** A key of which one job runs at a time, from a checked body. */
  exclusiveKey?(body: Readonly<Record<string, unknown>>): string | null
  /** What a checked body writes and carries out, as far as it says so itself. */
  subjects?(body: Readonly<Record<string, unknown>>): Subjects
  /** The same as the data sources and pipes of the workspace have it when a job is stored, where they must be asked. */
  subjectsIn?(body: Readonly<Record<string, unknown>>, catalogue: Catalogue): Subjects
  /** `check` of what data sources and pipes of the workspace tell; asked of what is submitted as a job of its own. */
  checkIn?(
    body: Readonly<Record<string, unknown>>,
    readCatalogue: () => Promise<Catalogue>,
  ): Promise<readonly FieldError[]>
}

/** The data source that a job writes and the pipe that it carries out, by name: what lists filter by. */
export type Subjects = Pick<NewJob, 'dataSource' | 'pipe'>
