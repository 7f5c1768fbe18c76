import { hasLeaves, type Leaf, leafTexts, replaceLeaves } from './leaf-texts.ts'

/** SQL: a time of a file, which the engine reads as one of UTC, as a text that says so: it is the same time in every zone, also in an hour that is there twice. */
export const utcText = (time: string): string => `concat(toString(toTimeZone(${time}, 'UTC')), 'Z')`

const TIMES: Leaf = { pattern: /`(?:[^`\\]|\\.)*`|\bDateTime64\([^)]*\)/g, write: utcText }

/** SQL: a value of this type of a file with its times so, or as `write` says. */
export const utcTexts = (type: string, value: string, write: Leaf['write'] = utcText): string =>
  leafTexts({ ...TIMES, write }, type, value)

/** The type that this has. */
export const withUtcTexts = (type: string): string => replaceLeaves(TIMES, type, 'String')

/** Whether a type of a column has times that are written and read in a zone of their own. */
export const isZoned = (type: string): boolean => hasLeaves(ZONED, type)

const ZONED: Leaf = { pattern: /`(?:[^`\\]|\\.)*`|\bDateTime(?:64)?\((?:\d, *)?'(?!UTC')/g, write: utcText }
