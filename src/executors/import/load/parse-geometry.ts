import type { Parsed } from './parse-number.ts'

/** Shapes of any kind, as the engine writes them. It reads `null` as 0 or an empty list, and a number that is too large as infinity. */
export const parseGeometry = (text: string): Parsed => {
  const value = `accurateCastOrNull(${text}, 'Geometry')`
  return { value, isOdd: `(match(${text}, '[^0-9eE.,+() \\\\t\\\\[\\\\]-]') OR match(toString(${value}), 'inf'))` }
}
