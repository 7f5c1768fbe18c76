import { findQueryParameters } from './guard/query-parameters.ts'
import { readType, type TypeTree } from './guard/read-type.ts'

type Parameters = Readonly<Record<string, unknown>>

type EngineParameters = {
  /** Plain values, serialized by ClickHouse's client. */
  readonly plain: Record<string, unknown>
  /** Serialized lists and objects, by their name in the request's URL (`param_ids`). */
  readonly written: Readonly<Record<string, string>>
}

/**
 * A statement's parameter values in the form that their types need. JSON has lists for tuples, and texts for numeric keys and for numbers that it cannot hold.
 * The client looks only at the values, not at the types.
 */
export const engineParameters = (sql: string, parameters: Parameters): EngineParameters => {
  const plain: Record<string, unknown> = { ...parameters }
  const written: Record<string, string> = {}
  // Plain values need no conversion.
  if (!Object.values(parameters).some(isStructured)) return { plain, written }
  // A parameter may occur in the SQL thousands of times, but is sent once.
  const types = new Map(findQueryParameters(sql).map(({ name, type }) => [name, type]))
  for (const [name, text] of types) {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : null
    if (!isStructured(value)) continue
    const type = readType(text)
    if (type.name === 'JSON') plain[name] = JSON.stringify(value)
    else {
      delete plain[name]
      written[`param_${name}`] = write(type, value)
    }
  }
  return { plain, written }
}

const isStructured = (value: unknown): value is object => typeof value === 'object' && value !== null

/** A value as it is written inside a list. */
const write = (type: TypeTree | undefined, value: unknown): string => {
  if (value === null) return 'NULL'
  const { name, parts } = type ?? UNKNOWN
  if (typeof value === 'object' && name === 'JSON') return quote(JSON.stringify(value))
  if (Array.isArray(value)) {
    if (name === 'Point') return `(${value.map(element => write(FLOAT, element)).join(',')})`
    if (name === 'Tuple') return `(${value.map((element, index) => write(parts[index], element)).join(',')})`
    const of = PLANES[name] ?? (name === 'Array' ? parts[0] : UNKNOWN)
    return `[${value.map(element => write(of, element)).join(',')}]`
  }
  if (typeof value === 'object') {
    const [keys, values] = name === 'Map' ? parts : []
    const pairs = Object.entries(value).map(([key, element]) => `${write(keys, key)}:${write(values, element)}`)
    return `{${pairs.join(',')}}`
  }
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  if (typeof value === 'number') return IS_TEXT.test(name) ? quote(String(value)) : String(value)
  const text = String(value)
  return NUMBERS.test(name) && NUMBER.test(text) ? text : quote(text)
}

/** Types whose values are always texts. */
const IS_TEXT = /^(Fixed)?String$/
const NUMBERS = /^(U?Int\d+|B?Float\d+|Decimal\d*)$/
const NUMBER = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$|^[+-]?(inf|infinity|nan)$/i

const ESCAPED: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', "'": "\\'", '\\': '\\\\' }

const quote = (text: string): string => `'${text.replace(/[\t\n\r'\\]/g, character => ESCAPED[character]!)}'`

const named = (name: string): TypeTree => ({ text: name, name, parts: [], nullable: false })
const UNKNOWN = named('')
const FLOAT = named('Float64')

/** Element types of the geometric types that are lists. */
const PLANES: Readonly<Record<string, TypeTree>> = {
  Ring: named('Point'),
  LineString: named('Point'),
  MultiLineString: named('LineString'),
  Polygon: named('Ring'),
  MultiPolygon: named('Polygon'),
}
