import { hasLeaves, type Leaf } from './leaf-texts.ts'

/** SQL: a file's time, which the engine reads as UTC, as a text that says so. It is then the same in every zone, even in an hour that occurs twice. */
export const utcText = (time: string): string => `concat(toString(toTimeZone(${time}, 'UTC')), 'Z')`

/** Times in other values, as such texts. */
export const TIMES: Leaf = { pattern: /`(?:[^`\\]|\\.)*`|\bDateTime64\([^)]*\)/g, write: utcText }

/** Whether a column type has times in a zone of its own. */
export const isZoned = (type: string): boolean => hasLeaves(ZONED, type)

const ZONED: Leaf = { pattern: /`(?:[^`\\]|\\.)*`|\bDateTime(?:64)?\((?:\d, *)?'(?!UTC')/g, write: utcText }
