import type { FieldError } from '../kernel/errors.ts'
import { joinPath } from './schema-errors.ts'

const MOST_FAULTS = 20
/** Names can be as long as the body: what lies deeper is told as part of what holds it. */
const LONGEST_PATH = 1000

/**
 * The texts of a JSON value that are not well-formed Unicode: JSON can write half a surrogate pair (`"\ud800"`), UTF-8
 * cannot. It would be stored, and whoever reads strictly (jq, Python) could not read what it is shown in, not even a
 * list. `prefix` is where the value stands.
 */
export const illFormedTexts = (value: unknown, prefix: string): readonly FieldError[] => {
  const faults: FieldError[] = []
  const open: { path: string; value: unknown }[] = [{ path: prefix, value }]
  while (open.length > 0 && faults.length < MOST_FAULTS) {
    const { path, value: inner } = open.pop()!
    if (typeof inner === 'string' && !inner.isWellFormed()) faults.push({ path, message: MESSAGE })
    if (typeof inner !== 'object' || inner === null) continue
    const fields = Object.entries(inner)
    if (fields.some(([name]) => !name.isWellFormed())) faults.push({ path, message: `has a name that ${MESSAGE}` })
    for (const [name, field] of fields.reverse()) open.push({ path: childPath(path, name), value: field })
  }
  return faults
}

const MESSAGE = 'must be well-formed Unicode: half a surrogate pair is no character'

const childPath = (path: string, name: string): string => {
  const child = name.isWellFormed() ? joinPath(path, name) : path
  return child.length > LONGEST_PATH ? path : child
}
