import { flatten } from './flatten.ts'
import { HIDDEN, isHidden, listedSecrets } from './hidden-values.ts'

/** A value that differs; `before` null: added, `after` null: removed. Texts are safe to show. */
export type FieldChange = { readonly field: string; readonly before: string | null; readonly after: string | null }

/**
 * The changes between two definitions, field by field, in the order of the new one, followed by removed fields. Secret values are `***` on both sides: only the
 * server knows whether they differ.
 */
export const compare = (input: {
  readonly before: unknown
  readonly after: unknown
  /** Paths in `after` whose values came from the environment. */
  readonly filled: ReadonlySet<string>
}): readonly FieldChange[] => {
  const before = flatten(input.before)
  const after = flatten(input.after)
  const listed = new Set([...listedSecrets(before), ...listedSecrets(after)])
  const shown = (path: string, value: unknown): string | null => {
    if (value === undefined) return null
    return value === HIDDEN || isHidden(path, input.filled, listed) ? HIDDEN : JSON.stringify(value)
  }
  return [...new Set([...after.keys(), ...before.keys()])]
    .filter(path => before.get(path) !== HIDDEN || !after.has(path))
    .filter(path => JSON.stringify(before.get(path)) !== JSON.stringify(after.get(path)))
    .map(path => ({ field: path, before: shown(path, before.get(path)), after: shown(path, after.get(path)) }))
}
