import type { DataSource } from '../../../model/data-source.ts'
import type { SampleRecord } from './read-fields.ts'

/**
 * Whether the first record has names. With a data source: when its fields are names of columns. Without: when they are all
 * different, not empty and not like values, and what follows is of another sort (or nothing follows).
 */
export const hasHeader = (records: readonly SampleRecord[], target: Pick<DataSource, 'columns'> | null): boolean => {
  const [first, second] = records
  if (first === undefined) return false
  const names = first.fields.map(({ text }) => text)
  if (target !== null && names.some(name => target.columns.some(column => column.name === name))) return true
  if (new Set(names).size < names.length || names.some(name => name === '' || isLikeValue(name))) return false
  if (target !== null) return false
  return second === undefined || second.fields.some(({ text }) => isLikeValue(text) || text === '') || allWords(names)
}

const isLikeValue = (text: string): boolean =>
  /^[+-]?(\d|\.\d)/.test(text) || /^(true|false|null|\\N|nan)$/i.test(text) || /^[[{]/.test(text)

const allWords = (names: readonly string[]): boolean => names.every(name => /^[A-Za-z_][A-Za-z0-9_ .-]*$/.test(name))
