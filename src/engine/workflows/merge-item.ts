import type { KindDefinition } from '../../executors/kind-definition.ts'
import type { Sink } from '../../model/sink.ts'
import { isPlainObject } from '../check-body.ts'

type Body = Readonly<Record<string, unknown>>

/** What a workflow and a trigger give to every item. */
export type Shared = {
  readonly environment: Body | undefined
  /** Names of the environment that are secret in every item, because one of them lists them. */
  readonly secretNames?: readonly string[]
  readonly sinks: readonly Sink[] | undefined
  /** Of a trigger; its values win over the item's own. */
  readonly parameters: Body | undefined
}

/**
 * The body of the job that an item becomes: the workflow's environment under its own, its parameters under the trigger's,
 * and its own sinks, else the workflow's: all of them, so that a delivery's position is that in the list that was written.
 * What is no object is left as it is for the check.
 */
export const mergeItem = (item: Body, merges: KindDefinition['merges'], shared: Shared): Body => {
  const body: Record<string, unknown> = { ...item }
  if (merges.environment && shared.environment !== undefined)
    body.environment = mergeMaps(shared.environment, item.environment)
  if (merges.parameters && shared.parameters !== undefined)
    body.parameters = mergeOver(item.parameters, shared.parameters)
  const sinks = item.sinks ?? shared.sinks
  if (sinks !== undefined) body.sinks = sinks
  return body
}

const mergeMaps = (below: Body, above: unknown): unknown =>
  above === undefined ? below : isPlainObject(above) ? { ...below, ...above } : above

const mergeOver = (below: unknown, above: Body): unknown =>
  below === undefined ? above : isPlainObject(below) ? { ...below, ...above } : below
