import type { FieldError } from '../kernel/errors.ts'
import { PATTERN_MEANING } from './patterns.ts'

/** An error as TypeBox and Ajv give it. */
export type SchemaError = {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
  readonly message?: string | undefined
}

/** Faults of a value against a JSON Schema, one per field, saying what would be right. `prefix` is where the value stands. */
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
        'is not a known field',
      ])
    case 'required':
      return namesOf(params.requiredProperties ?? params.missingProperty).map(name => [
        joinPath(path, name),
        'is required',
      ])
    // TypeBox gives up after eight errors: it may name the unknown fields one by one and never come to the whole.
    case 'boolean':
      return [[path, 'is not a known field']]
    case 'anyOf':
    case 'propertyNames':
      return [] // said by the errors of its parts
    case 'pattern':
      return [[path, PATTERN_MEANING[String(params.pattern)] ?? `must match ${params.pattern}`]]
    case 'enum':
    case 'const':
      return [[path, `must be ${namesOf(params.allowedValues ?? params.allowedValue).join(', ')}`]]
    default:
      return [[path, error.message ?? 'is wrong']]
  }
}

const namesOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : [String(value)])

const pointerToPath = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.')

export const joinPath = (prefix: string, path: string): string =>
  prefix && path ? `${prefix}.${path}` : prefix || path
