import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import type { FieldError } from '../kernel/errors.ts'
import { once } from '../kernel/once.ts'
import { boundedErrors, toFieldErrors } from '../model/schema-errors.ts'
import { S3Sink, WebhookSink } from '../model/sink.ts'
import { sinkValueFaults } from '../model/sink-faults.ts'

const validators = once(
  (): Readonly<Record<string, Validator>> => ({
    webhook: Compile(WebhookSink as TSchema),
    s3: Compile(S3Sink as TSchema),
  }),
)

/** A longer list is already refused for its length. */
const MOST_TOLD = 100

/**
 * Faults of a list of sinks. Each sink is checked against the schema of its declared type: checking against the union would also report what it lacks to
 * be the other type. `path` is the path of the list. Faults of the list itself are reported by its own schema.
 */
export const sinkErrors = (sinks: unknown, path: string): readonly FieldError[] =>
  Array.isArray(sinks) ? sinks.slice(0, MOST_TOLD).flatMap((sink, index) => errorsOf(sink, `${path}.${index}`)) : []

/** The checks beyond the schema, for those sinks of a refused list that match their schema. Paths are as in `sinkErrors`. */
export const faultsOfSoundSinks = (sinks: unknown, path: string): readonly FieldError[] =>
  Array.isArray(sinks)
    ? sinks
        .slice(0, MOST_TOLD)
        .flatMap((sink, index) =>
          errorsOf(sink, path).length > 0
            ? []
            : sinkValueFaults(sink).map(one => ({ ...one, path: `${path}.${index}.${one.path}` })),
        )
    : []

const errorsOf = (sink: unknown, path: string): readonly FieldError[] => {
  if (typeof sink !== 'object' || sink === null || Array.isArray(sink))
    return [{ path, message: 'must be an object: a sink' }]
  const type = (sink as { type?: unknown }).type
  if (type !== 'webhook' && type !== 's3') return [{ path: `${path}.type`, message: 'must be webhook or s3' }]
  const validator = validators()[type]!
  return validator.Check(sink) ? [] : toFieldErrors(boundedErrors(validator, sink), path)
}
