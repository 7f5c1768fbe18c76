import { TupleParam } from '@clickhouse/client'
import { takeApart } from './guard/parameter-fault.ts'
import { findQueryParameters } from './guard/query-parameters.ts'

type Parameters = Readonly<Record<string, unknown>>

/**
 * Values for the parameters of a statement as ClickHouse's client writes them for their types: JSON has lists where ClickHouse has tuples, and texts
 * for keys that are numbers.
 */
export const engineParameters = (sql: string, parameters: Parameters): Record<string, unknown> => {
  const values: Record<string, unknown> = { ...parameters }
  // Of plain values nothing is to be done.
  if (!Object.values(parameters).some(value => typeof value === 'object' && value !== null)) return values
  for (const { name, type } of findQueryParameters(sql))
    if (Object.hasOwn(parameters, name)) values[name] = engineValue(type, parameters[name])
  return values
}

const engineValue = (type: string, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  const { name, parts } = takeApart(type)
  if (name === 'JSON') return JSON.stringify(value)
  const of = PLANES[name] ?? (name === 'Array' ? parts[0]! : null)
  if (Array.isArray(value)) {
    if (name === 'Tuple' || name === 'Point')
      return new TupleParam(value.map((element, index) => engineValue(parts[index] ?? '', element)))
    return of === null ? value : value.map(element => engineValue(of, element))
  }
  if (name !== 'Map') return value
  const [keys = '', values = ''] = parts
  const key = (text: string) => (/^U?Int\d+$/.test(keys) && /^-?\d+$/.test(text) ? BigInt(text) : text)
  return new Map(Object.entries(value).map(([text, element]) => [key(text), engineValue(values, element)]))
}

/** What lists on a plane are lists of. */
const PLANES: Readonly<Record<string, string>> = {
  Ring: 'Point',
  LineString: 'Point',
  MultiLineString: 'LineString',
  Polygon: 'Ring',
  MultiPolygon: 'Polygon',
}
