import Type, { type TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import type { KindDefinition } from '../executors/kind-definition.ts'
import { isPlainObject } from '../kernel/plain-object.ts'
import type { NewJob } from '../model/job.ts'
import {
  type CommonFields,
  commonJobProperties,
  type Fault,
  isFault,
  readRetry,
  readScheduledAt,
  retryFaults,
} from '../model/job-body.ts'
import { KIND_OF_KEY, type Kind, kindOfBody } from '../model/kind.ts'
import { type RetryPolicy, SINGLE_JOB_RETRY } from '../model/retry.ts'
import { joinPath } from '../model/schema-errors.ts'
import { takeSecrets } from '../model/secrets.ts'
import { sinkFaults } from '../model/sink-faults.ts'
import { faultsOfSoundSinks } from './check-sinks.ts'
import { createFieldCheck, type FieldCheck } from './field-check.ts'
import type { BodyFault } from './invalid-fields.ts'

/** A valid job body, in the engine's terms. */
export type CheckedBody = {
  readonly definition: KindDefinition
  readonly fields: CommonFields
  readonly retry: RetryPolicy
  readonly scheduledAt: number | null
  readonly timeoutMs: number | null
  /** JSON text with secrets masked. */
  readonly spec: string
  readonly secrets: Readonly<Record<string, string>>
  readonly exclusiveKey: string | null
  readonly subjects: Pick<NewJob, 'dataSource' | 'pipe'>
}

export type BodyCheck =
  | { readonly type: 'right'; readonly body: CheckedBody }
  | { readonly type: 'wrong'; readonly errors: readonly BodyFault[] }

/** Adds more faults to a checked body. */
export const withFaults = (checked: BodyCheck, faults: readonly BodyFault[]): BodyCheck => {
  if (faults.length === 0) return checked
  return { type: 'wrong', errors: checked.type === 'wrong' ? [...checked.errors, ...faults] : faults }
}

export type BodyPlace = {
  /** Path of the body in the request. */
  readonly path: string
  readonly now: number
  /** Defaults for the body's `retry`; one try if absent. */
  readonly retry?: RetryPolicy
  /** Names that are always secret, whether or not the body lists them. */
  readonly secretNames?: readonly string[]
}

type JobBody = CommonFields & Readonly<Record<string, unknown>>
type Checker = { readonly definition: KindDefinition; readonly validator: Validator; readonly fields: FieldCheck }

/** Compiles the schemas of all kinds once. The returned function checks one body. */
export const createBodyCheck = (definitions: readonly KindDefinition[]) => {
  const checkers = new Map(definitions.map(definition => [definition.kind, compile(definition)]))
  const keys = Object.entries(KIND_OF_KEY).flatMap(([key, kind]) => (checkers.has(kind) ? [key] : []))

  return (body: unknown, place: BodyPlace): BodyCheck => {
    const { path } = place
    if (!isPlainObject(body)) return wrong(path, 'must be an object: a job body')
    const kind = kindOfBody(body)
    if (kind === null) return wrong(path, `must have exactly one of ${keys.join(', ')}`)
    const checker = checkers.get(kind)
    if (!checker) return { type: 'wrong', errors: [{ path, message: notRun(kind), unavailable: true }] }
    if (!checker.validator.Check(body)) return { type: 'wrong', errors: faultsOfRefused(checker, body, place) }
    return read(checker.definition, body as JobBody, place)
  }
}

export type CheckBody = ReturnType<typeof createBodyCheck>

const compile = (definition: KindDefinition): Checker => {
  const properties = { ...commonJobProperties, ...definition.properties } as Record<string, TSchema>
  const schema = Type.Object(properties, { additionalProperties: false })
  return { definition, validator: Compile(schema), fields: createFieldCheck(schema) }
}

/** The schema errors, plus the checks beyond the schema for those fields that do match it. */
const faultsOfRefused = (
  { definition, fields }: Checker,
  body: Readonly<Record<string, unknown>>,
  { path, now }: BodyPlace,
): readonly BodyFault[] => {
  const sound = fields.sound(body) as CommonFields
  const errors = fields.errors(body)
  const wrongOnes = new Set(errors.map(error => error.path.split('.')[0]!))
  const isKindSound = Object.keys(definition.properties).every(field => !wrongOnes.has(field))
  const faults = [
    ...errors,
    ...[readScheduledAt(sound.scheduled_at, now), readTimeout(definition, sound.timeout_seconds)].filter(isFault),
    ...retryFaults(body.retry),
    ...faultsOfSoundSinks(body.sinks, 'sinks'),
    ...(isKindSound ? (definition.check?.(sound) ?? []) : []),
  ]
  return faults.map(fault => ({ ...fault, path: joinPath(path, fault.path) }))
}

const read = (definition: KindDefinition, body: JobBody, place: BodyPlace): BodyCheck => {
  const { path, now, retry: base, secretNames = [] } = place
  const { secrets: listed = [] } = body
  const scheduledAt = readScheduledAt(body.scheduled_at, now)
  const retry = readRetry(body.retry, base ?? SINGLE_JOB_RETRY)
  const timeoutMs = readTimeout(definition, body.timeout_seconds)
  const taken = takeSecrets(body, definition.secretMaps, [...listed, ...secretNames])
  const faults = [
    ...[scheduledAt, timeoutMs].filter(isFault),
    ...retryFaults(body.retry),
    ...unknownSecrets(taken.unknown.filter(name => listed.includes(name))),
    ...sinkFaults(body.sinks ?? []).map(fault => ({ ...fault, path: `sinks.${fault.path}` })),
    ...(definition.check?.(body) ?? []),
  ]
  if (faults.length > 0)
    return { type: 'wrong', errors: faults.map(fault => ({ ...fault, path: joinPath(path, fault.path) })) }
  return {
    type: 'right',
    body: {
      definition,
      fields: body,
      retry: retry as RetryPolicy,
      scheduledAt: scheduledAt as number | null,
      timeoutMs: timeoutMs as number | null,
      spec: JSON.stringify(taken.body),
      secrets: taken.secrets,
      exclusiveKey: definition.exclusiveKey?.(body) ?? null,
      subjects: definition.subjects?.(body) ?? NO_SUBJECTS,
    },
  }
}

const NO_SUBJECTS = Object.freeze({ dataSource: null, pipe: null })

const readTimeout = ({ timeout }: KindDefinition, seconds: number | undefined): number | null | Fault => {
  if (seconds === undefined) return timeout.defaultMs
  const milliseconds = Math.max(1, Math.round(seconds * 1000))
  if (timeout.maximumMs !== null && milliseconds > timeout.maximumMs) {
    return { path: 'timeout_seconds', message: `must be at most ${timeout.maximumMs / 1000}` }
  }
  return milliseconds
}

const unknownSecrets = (names: readonly string[]): readonly Fault[] =>
  names.map(name => ({ path: 'secrets', message: `${JSON.stringify(name)} is the name of no value of this job` }))

const notRun = (kind: Kind): string => `is of kind ${kind}, which this server does not run`

const wrong = (path: string, message: string): BodyCheck => ({ type: 'wrong', errors: [{ path, message }] })
