import type { TSchema } from 'typebox'
import type { Kind } from '../model/kind.ts'

/** What a server must know of a kind to take its jobs; carrying them out is the `Executor`'s, maybe in another process. */
export type KindDefinition = {
  readonly kind: Kind
  /** Schemas of the kind's own fields of a job body. */
  readonly properties: Readonly<Record<string, TSchema>>
  /** Where text maps lie in the body that may hold secrets. */
  readonly secretMaps: readonly string[]
  /** `timeout_seconds` of an attempt when the body says none, and the most it may say; null: none. */
  readonly timeout: { readonly defaultMs: number | null; readonly maximumMs: number | null }
  /** A key of which one job runs at a time, from a checked body. */
  exclusiveKey?(body: Readonly<Record<string, unknown>>): string | null
}
