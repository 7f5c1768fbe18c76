import type { FieldError } from '../kernel/errors.ts'
import { joinPath } from './schema-errors.ts'

const MOST_FAULTS = 20
/** Names can be as long as the body. Faults in deeper values are reported at the path that contains them. */
const LONGEST_PATH = 1000

/**
 * The texts in a JSON value that are not well-formed Unicode. JSON can express half a surrogate pair (`"\ud800"`), UTF-8 cannot. If stored, it would break
 * strict readers (jq, Python) of everything that shows it, even lists. `prefix` is the path of the value.
 */
export const illFormedTexts = (value: unknown, prefix: string): readonly FieldError[] => {
  const faults: FieldError[] = []
  const open: Place[] = []
  const enter = (path: string, inner: object): void => {
    const names = Array.isArray(inner) ? null : Object.keys(inner)
    if (names?.some(name => !name.isWellFormed())) faults.push({ path, message: `has a name that ${MESSAGE}` })
    open.push({ path, names, values: names === null ? (inner as readonly unknown[]) : Object.values(inner), next: 0 })
  }
  if (isIllFormed(value)) faults.push({ path: prefix, message: MESSAGE })
  if (isObject(value)) enter(prefix, value)
  for (let place = open.at(-1); place !== undefined && faults.length < MOST_FAULTS; place = open.at(-1)) {
    const at = place.next++
    if (at >= place.values.length) open.pop()
    else {
      const inner = place.values[at]
      if (isIllFormed(inner)) faults.push({ path: pathIn(place, at), message: MESSAGE })
      if (isObject(inner)) enter(pathIn(place, at), inner)
    }
  }
  return faults
}

/** A position in a list or object during the walk. Nothing is stored per entry, as a list may have millions. */
type Place = {
  readonly path: string
  /** null: a list, whose values are named by their indexes. */
  readonly names: readonly string[] | null
  readonly values: readonly unknown[]
  next: number
}

const isIllFormed = (value: unknown): boolean => typeof value === 'string' && !value.isWellFormed()

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const pathIn = ({ path, names }: Place, at: number): string => childPath(path, names?.[at] ?? String(at))

const MESSAGE = 'must be well-formed Unicode: an unpaired surrogate is not a character'

const childPath = (path: string, name: string): string => {
  const child = name.isWellFormed() ? joinPath(path, name) : path
  return child.length > LONGEST_PATH ? path : child
}
