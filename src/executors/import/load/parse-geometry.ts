import type { Parsed } from './parse-number.ts'

/** Shapes as the engine writes them, of any kind. It takes `null` for 0, or for an empty list, and what is too large becomes infinite. */
export const parseGeometry = (text: string): Parsed => {
  const value = `accurateCastOrNull(${text}, 'Geometry')`
  return { value, isOdd: `(match(${text}, '[^0-9eE.,+() \\\\t\\\\[\\\\]-]') OR match(toString(${value}), 'inf'))` }
}
