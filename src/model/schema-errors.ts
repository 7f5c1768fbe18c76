import type { FieldError } from '../kernel/errors.ts'
import { PATTERN_MEANING } from './patterns.ts'
import { unknownField } from './unknown-field.ts'

/** An error of TypeBox or Ajv. */
export type SchemaError = {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
  readonly message?: string | undefined
  /** Where in the schema, as a pointer after `#`. */
  readonly schemaPath?: string | undefined
  /** For an unknown field: the fields that the object may have. */
  readonly known?: readonly string[] | undefined
}

/** The methods of a validator that return its errors and its schema. */
type Teller = { Errors(value: unknown): readonly SchemaError[]; Type(): object }

/** How much of a wrong value is checked: first a little, then as much as the longest allowed list. */
const LOOKS = [
  { entries: 1_000, values: 10_000 },
  { entries: 70_000, values: 100_000 },
] as const

/**
 * The errors of a value that its validator has refused, in bounded time. Collecting errors takes a hundred times as long as refusing: a list of millions of
 * numbers would keep the server busy for a minute. So the ends of long lists are skipped, and a fault that occurs only there gets a general message.
 */
export const boundedErrors = (validator: Teller, value: unknown): readonly SchemaError[] => {
  for (const look of LOOKS) {
    const errors = validator.Errors(shorten(value, { ...look }))
    if (errors.length > 0) return errors.map(error => withKnown(error, validator.Type()))
  }
  return [{ keyword: 'long', instancePath: '', params: {}, message: 'is wrong somewhere far behind in a long list' }]
}

const withKnown = (error: SchemaError, schema: object): SchemaError => {
  if (error.keyword !== 'boolean' && error.keyword !== 'additionalProperties') return error
  const keys = pointerToKeys(error.schemaPath ?? '').filter(
    (key, at, all) => at < all.length - 1 || key !== 'additionalProperties',
  )
  const inner = keys.reduce<unknown>((place, key) => (place as Record<string, unknown> | undefined)?.[key], schema)
  return { ...error, known: Object.keys((inner as { properties?: object } | undefined)?.properties ?? {}) }
}

/** Objects with few fields are kept whole: otherwise required fields would seem to be missing. */
const FEW_FIELDS = 100

type Room = { readonly entries: number; values: number }

const shorten = (value: unknown, room: Room): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.slice(0, take(value.length, room)).map(entry => shorten(entry, room))
  const fields = Object.entries(value)
  const kept = Math.max(take(fields.length, room), Math.min(fields.length, FEW_FIELDS))
  return Object.fromEntries(fields.slice(0, kept).map(([name, inner]) => [name, shorten(inner, room)]))
}

const take = (wanted: number, room: Room): number => {
  const taken = Math.min(wanted, room.entries, Math.max(0, room.values))
  room.values -= taken
  return taken
}

/** Faults of a value against a JSON Schema, one per field, saying what would be right. `prefix` is the path of the value. */
export const toFieldErrors = (errors: readonly SchemaError[], prefix: string): readonly FieldError[] => {
  const messages = new Map<string, Set<string>>()
  for (const error of errors) {
    for (const [path, message] of explain(error)) {
      const key = joinPath(prefix, path)
      messages.set(key, (messages.get(key) ?? new Set()).add(message))
    }
  }
  return [...messages].map(([path, texts]) => ({ path, message: [...texts].join(', or ') }))
}

const explain = (error: SchemaError): readonly (readonly [string, string])[] => {
  const params = error.params as Record<string, unknown>
  const path = pointerToPath(error.instancePath)
  switch (error.keyword) {
    case 'additionalProperties':
      return namesOf(params.additionalProperties ?? params.additionalProperty).map(name => [
        joinPath(path, name),
        unknownField(name, error.known ?? []),
      ])
    case 'required':
      return namesOf(params.requiredProperties ?? params.missingProperty).map(name => [
        joinPath(path, name),
        'is required',
      ])
    // TypeBox stops after eight errors: it may report unknown fields one by one, and never reach the error for the whole object.
    case 'boolean':
      return [[path, unknownField(pointerToKeys(error.instancePath).at(-1) ?? '', error.known ?? [])]]
    case 'anyOf':
    case 'propertyNames':
      return [] // The errors of its parts say it.
    case 'pattern':
      return [[path, PATTERN_MEANING[String(params.pattern)] ?? `must match ${params.pattern}`]]
    case 'enum':
    case 'const':
      return [[path, oneOf(namesOf(params.allowedValues ?? params.allowedValue))]]
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return [
        [path, params.limit === 1 ? 'must not be empty' : `must have at least ${sizeOf(error.keyword, params.limit)}`],
      ]
    case 'maxLength':
    case 'maxItems':
    case 'maxProperties':
      return [[path, `must have at most ${sizeOf(error.keyword, params.limit)}`]]
    case 'type':
      return [[path, withArticle(error.message ?? 'is of a wrong type')]]
    default:
      return [[path, error.message ?? 'is wrong']]
  }
}

const oneOf = (names: readonly string[]): string =>
  names.length > 2 ? `must be one of ${names.join(', ')}` : `must be ${names.join(' or ')}`

/** Validators say `must be object`. */
const withArticle = (message: string): string =>
  message
    .replace(/^must be (?=(string|number|boolean)$)/, 'must be a ')
    .replace(/^must be (?=(object|array|integer)$)/, 'must be an ')

const UNITS: Readonly<Record<string, string>> = { Length: 'characters', Items: 'entries', Properties: 'fields' }

const sizeOf = (keyword: string, limit: unknown): string => {
  const unit = UNITS[keyword.slice(3)]!
  return limit === 1 ? `one ${unit.replace(/ies$/, 'y').replace(/s$/, '')}` : `${limit} ${unit}`
}

const namesOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : [String(value)])

const pointerToPath = (pointer: string): string => pointerToKeys(pointer).join('.')

const pointerToKeys = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))

export const joinPath = (prefix: string, path: string): string =>
  prefix && path ? `${prefix}.${path}` : prefix || path
