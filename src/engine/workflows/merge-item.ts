import type { KindDefinition } from '../../executors/kind-definition.ts'
import { isPlainObject } from '../../kernel/plain-object.ts'
import type { Sink } from '../../model/sink.ts'

type Body = Readonly<Record<string, unknown>>

/** What a workflow and a trigger contribute to every item. */
export type Shared = {
  readonly environment: Body | undefined
  /** Environment variables that are secret in every item, because one item lists them. */
  readonly secretNames?: readonly string[]
  readonly sinks: readonly Sink[] | undefined
  /** The trigger's parameters. They override the item's own. */
  readonly parameters: Body | undefined
}

/**
 * The body of the job made from an item. The item's environment overrides the workflow's; the trigger's parameters override the item's; the item's sinks
 * replace the workflow's. The sink list stays complete, so that a delivery's index refers to the list as written. Values that are not objects are left
 * for the check to refuse.
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
