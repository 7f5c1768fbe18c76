import { hasLeaves, type Leaf } from './leaf-texts.ts'

/** SQL: a time of a file, which the engine reads as one of UTC, as a text that says so: it is the same time in every zone, also in an hour that is there twice. */
export const utcText = (time: string): string => `concat(toString(toTimeZone(${time}, 'UTC')), 'Z')`

/** Times among other values, as texts that say so. */
export const TIMES: Leaf = { pattern: /`(?:[^`\\]|\\.)*`|\bDateTime64\([^)]*\)/g, write: utcText }

/** Whether a type of a column has times that are written and read in a zone of their own. */
export const isZoned = (type: string): boolean => hasLeaves(ZONED, type)

const ZONED: Leaf = { pattern: /`(?:[^`\\]|\\.)*`|\bDateTime(?:64)?\((?:\d, *)?'(?!UTC')/g, write: utcText }
