import { readColumnType, tupleElements } from '../load/column-type.ts'
import { isGeometry } from './geometry-column.ts'

/**
 * The types that the engine tells of the columns of a file, with times of no day as what they are: to it they are times of 1970-01-01. `areClocks` is of
 * what Parquet calls columns: the leaves of these types, in their order. Where there are not as many, nobody knows which is which.
 */
export const markClocks = (types: readonly string[], areClocks: readonly boolean[]): readonly string[] => {
  const leaves = types.map(leavesOf)
  if (leaves.flat().length !== areClocks.length) return types
  let at = 0
  return types.map((type, index) => {
    const own = leaves[index]!.map(leaf => ({ leaf, isClock: areClocks[at++]! }))
    const times = own.filter(({ leaf }) => leaf.includes(TIME))
    let found = 0
    return type.replace(TIMES, text => {
      if (text.startsWith('`')) return text
      return times[found++]!.isClock ? text.replace(/^DateTime64\((\d).*/, 'Time64($1)') : text
    })
  })
}

/** Which columns are of times in twelve bytes, by what Parquet calls columns, as above. Of those in others it is not asked. */
export const markInt96 = (types: readonly string[], areInt96: readonly boolean[]): readonly boolean[] => {
  const leaves = types.map(leavesOf)
  if (leaves.flat().length !== areInt96.length) return types.map(() => false)
  let at = 0
  return types.map((type, index) => {
    const first = at
    at += leaves[index]!.length
    return leaves[index]![0] === type && areInt96[first]!
  })
}

const TIME = 'DateTime64('
const TIMES = /`(?:[^`\\]|\\.)*`|\bDateTime64\([^)]*\)/g

/** What Parquet calls columns, of a type of the engine. */
const leavesOf = (type: string): readonly string[] => {
  const { name, parts } = readColumnType(type)
  if (isGeometry(type)) return [type]
  if (name === 'Array' || name === 'Map') return parts.flatMap(leavesOf)
  return name === 'Tuple' ? tupleElements(parts).flatMap(element => leavesOf(element.type)) : [type]
}
