import type { Column } from '../../../model/data-source.ts'
import { ImportFailure } from '../import-failure.ts'
import type { Sample } from '../spool/read-sample.ts'
import { guessType } from './guess-type.ts'

type Found = { readonly path: readonly string[]; readonly values: unknown[] }

/** Deeper objects stay JSON text. */
const DEEPEST = 5

/** A column for each value that objects hold, those of objects within under the names of the way to them (`user_id` of `$.user.id`). */
export const inferNdjson = (sample: Sample, { guessing }: { guessing: boolean }): readonly Column[] => {
  const objects = readObjects(sample)
  if (objects.length === 0) throw new ImportFailure('content_unreadable', nothingIn(sample))
  const found = new Map<string, Found>()
  for (const object of objects) collect(object, [], found)
  const names = new Set<string>()
  return [...found.values()].map(({ path, values }) => {
    let name = path.join('_')
    while (names.has(name)) name += '_'
    names.add(name)
    const jsonPath = path.length === 1 && name === path[0] ? null : `$.${path.join('.')}`
    return { name, type: guessing ? typeOf(values, objects.length) : 'String', jsonPath }
  })
}

const nothingIn = ({ bytes, isWhole }: Sample): string => {
  if (bytes.toString('latin1').trimStart().startsWith('['))
    return "The content is a JSON array: NDJSON has an object a line (jq -c '.[]' makes it so)."
  return isWhole || bytes.includes('\n')
    ? 'The content has no JSON objects that a data source could be made of: NDJSON has an object a line.'
    : 'The first line has more than 1 MiB, which is all that is looked at: make the data source first.'
}

/** The objects of whole lines; what is none is left out. */
export const readObjects = ({ bytes, isWhole }: Sample): readonly Record<string, unknown>[] => {
  const lines = bytes.toString('utf8').split('\n')
  return (isWhole ? lines : lines.slice(0, -1)).flatMap(line => {
    try {
      const value: unknown = JSON.parse(line)
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? [value as Record<string, unknown>]
        : []
    } catch {
      return []
    }
  })
}

const collect = (object: Record<string, unknown>, above: readonly string[], found: Map<string, Found>): void => {
  for (const [key, value] of Object.entries(object)) {
    const path = [...above, key]
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (
      isObject &&
      path.length < DEEPEST &&
      Object.keys(value).every(name => /^\w+$/.test(name)) &&
      /^\w+$/.test(key)
    ) {
      collect(value as Record<string, unknown>, path, found)
      continue
    }
    const id = path.join('\0')
    const entry = found.get(id) ?? { path, values: [] }
    found.set(id, entry)
    entry.values.push(value)
  }
}

const typeOf = (values: readonly unknown[], objects: number): string => {
  const isMissing = values.length < objects || values.some(value => value === null)
  const there = values.filter(value => value !== null)
  if (there.every(Array.isArray) && there.length > 0) return isMissing ? 'Nullable(String)' : arrayType(there.flat())
  const texts = there.map(value => (typeof value === 'object' ? JSON.stringify(value) : String(value)))
  const isText = there.some(value => typeof value === 'object')
  const base = isText ? 'String' : guessType(texts.filter(text => text !== ''))
  const wantsNull = isMissing || (texts.includes('') && base !== 'String')
  return wantsNull && !base.startsWith('Nullable(') ? `Nullable(${base})` : base
}

const arrayType = (elements: readonly unknown[]): string => {
  if (elements.length === 0 || elements.some(element => typeof element === 'object')) return 'String'
  if (elements.every(element => typeof element === 'string')) return 'Array(String)'
  if (elements.every(element => Number.isSafeInteger(element))) return 'Array(Int64)'
  return elements.every(element => typeof element === 'number') ? 'Array(Float64)' : 'String'
}
