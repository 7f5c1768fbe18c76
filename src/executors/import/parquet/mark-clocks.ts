import { readColumnType, tupleElements } from '../load/column-type.ts'
import { isGeometry } from './geometry-column.ts'

/**
 * The engine's types of a file's columns, but with times without a date as `Time64`: to the engine they are times of 1970-01-01. `areClocks` has one entry per
 * Parquet column: the leaves of these types, in order. If the counts differ, nothing is marked, since it is unclear which is which.
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

/** Which columns are 12-byte times. `areInt96` also has one entry per Parquet column. Ignores those nested in others. */
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

/** The leaves of a type of the engine, which Parquet calls columns. */
const leavesOf = (type: string): readonly string[] => {
  const { name, parts } = readColumnType(type)
  if (isGeometry(type)) return [type]
  if (name === 'Array' || name === 'Map') return parts.flatMap(leavesOf)
  return name === 'Tuple' ? tupleElements(parts).flatMap(element => leavesOf(element.type)) : [type]
}
