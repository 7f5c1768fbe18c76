import type { Column } from '../../../model/data-source.ts'
import { writeJsonPath } from '../../../model/json-path.ts'
import { ImportFailure } from '../import-failure.ts'
import { withoutComma } from '../ndjson/judge-line.ts'
import { ROWS_IN_A_LIST } from '../spool/json-rows.ts'
import type { Sample } from '../spool/read-sample.ts'
import { guessType } from './guess-type.ts'
import { isJsonObject, JsonNumber, parseJson } from './json-number.ts'

type Found = { readonly path: readonly string[]; readonly values: unknown[] }

/** Deeper objects stay JSON text. */
const DEEPEST = 5

/** One column per value of the objects. Values in nested objects are named after their path (`user_id` for `$.user.id`). */
export const inferNdjson = (sample: Sample, { guessing }: { guessing: boolean }): readonly Column[] => {
  const objects = [...readObjects(sample)]
  if (objects.length === 0) throw new ImportFailure('content_unreadable', nothingIn(sample))
  const found = new Map<string, Found>()
  for (const object of objects) collect(object, [], found)
  const names = new Set<string>()
  return [...found.values()].map(({ path, values }) => {
    let name = path.join('_')
    while (names.has(name)) name += '_'
    names.add(name)
    const jsonPath = path.length === 1 && name === path[0] ? null : writeJsonPath(path)
    return { name, type: typeOf(values, objects.length, guessing), jsonPath }
  })
}

const nothingIn = ({ bytes, isWhole }: Sample): string =>
  isWhole || bytes.includes('\n')
    ? 'The content has no JSON objects to create a data source from: NDJSON has one object per line.'
    : `The first row has more than 1 MiB, which is all that is looked at: make the data source first. ${ROWS_IN_A_LIST}`

/** The objects on complete lines. Skips lines without one. */
export function* readObjects({ bytes, isWhole }: Sample): Generator<Record<string, unknown>> {
  const lines = bytes.toString('utf8').split('\n')
  for (const line of isWhole ? lines : lines.slice(0, -1)) {
    const object = objectIn(withoutComma(line))
    if (object !== null) yield object
  }
}

const objectIn = (text: string): Record<string, unknown> | null => {
  // A parse error takes ten times as long as a parse: a million blank lines would take ten seconds.
  if (!text.startsWith('{') || !text.endsWith('}')) return null
  try {
    const value = parseJson(text)
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}

const isPlainKey = (key: string): boolean => /^\w+$/.test(key)

const collect = (object: Record<string, unknown>, above: readonly string[], found: Map<string, Found>): void => {
  for (const [key, value] of Object.entries(object)) {
    const path = [...above, key]
    if (isJsonObject(value) && path.length < DEEPEST && [key, ...Object.keys(value)].every(isPlainKey)) {
      collect(value, path, found)
      continue
    }
    const id = path.join('\0')
    const entry = found.get(id) ?? { path, values: [] }
    found.set(id, entry)
    entry.values.push(value)
  }
}

const typeOf = (values: readonly unknown[], objects: number, guessing: boolean): string => {
  const isMissing = values.length < objects || values.some(value => value === null)
  if (!guessing) return isMissing ? 'Nullable(String)' : 'String'
  const there = values.filter(value => value !== null)
  if (there.every(Array.isArray) && there.length > 0) return isMissing ? 'Nullable(String)' : arrayType(there.flat())
  const texts = there.map(textOf)
  const isText = there.some(isNested)
  const base = isText ? 'String' : guessType(texts.filter(text => text !== ''))
  const wantsNull = isMissing || (texts.includes('') && base !== 'String')
  return wantsNull && !base.startsWith('Nullable(') ? `Nullable(${base})` : base
}

const arrayType = (elements: readonly unknown[]): string => {
  if (elements.length === 0) return 'String'
  if (elements.every(element => typeof element === 'string')) return 'Array(String)'
  if (!elements.every(element => element instanceof JsonNumber)) return 'String'
  const type = guessType(elements.map(({ text }) => text))
  return type === 'String' ? 'String' : `Array(${type})`
}

const isNested = (value: unknown): boolean => Array.isArray(value) || isJsonObject(value)

/** As an import reads it: numbers as written. */
const textOf = (value: unknown): string => {
  if (value instanceof JsonNumber) return value.text
  return isNested(value) ? JSON.stringify(value) : String(value)
}
