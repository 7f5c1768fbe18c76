import type { DataSource } from '../../../model/data-source.ts'
import type { SampleRecord } from './read-fields.ts'

/** What rows go into. null: it is still to be made. */
export type Target = Pick<DataSource, 'columns'> | null

/**
 * Whether the first record has names. With a data source: when one of its fields is the name of a column, letter by letter, or, where none is like a value, but for
 * its case. Without: when they are not like values of their columns, and what follows is of another sort (or nothing follows). Names that are missing or
 * there twice (an index of pandas has none) are a header's only where values follow.
 */
export const hasHeader = (records: readonly SampleRecord[], target: Target): boolean => {
  const [first, second] = records
  if (first === undefined) return false
  const names = first.fields.slice(0, widthOf(records, target)).map(({ text }) => text)
  const named = names.filter(name => name !== '')
  const has = (known: readonly string[]) => {
    const set = new Set(known)
    return (name: string): boolean => set.has(name)
  }
  const columns = target?.columns.map(({ name }) => name) ?? []
  if (named.some(has(columns))) return true
  const isValue = (name: string, index: number): boolean =>
    isLikeValue(name) && !(target === null && isNameOfNumbers(records, index))
  if (named.length === 0 || names.some(isValue)) return false
  if (target !== null) return named.map(inOneCase).some(has(columns.map(inOneCase)))
  if (new Set(named).size < names.length) return second?.fields.some(({ text }) => isLikeValue(text)) === true
  return second === undefined || second.fields.some(({ text }) => isLikeValue(text) || text === '') || allWords(names)
}

/** What names have in common that differ in their case alone. */
export const inOneCase = (name: string): string => name.toLowerCase()

/** The names of a header, `column_0` and so on where it has none. */
export const headerNames = (records: readonly SampleRecord[], target: Target): readonly string[] =>
  records[0]!.fields
    .slice(0, widthOf(records, target))
    .map(({ text }, index) => (text === '' ? columnName(index) : text))

/** Of a column that has none. */
export const columnName = (index: number): string => `column_${index}`

/**
 * Columns of the first record, without those at the end that have no name and are nothing: the data source has none of that place, or, where there is none yet,
 * no record has a value there. Spreadsheets write delimiters as far as anything ever stood in them.
 */
const widthOf = (records: readonly SampleRecord[], target: Target): number => {
  const isEmpty = (index: number) => (record: SampleRecord) => (record.fields[index]?.text ?? '') === ''
  // There may be a million columns.
  const known = new Set(target?.columns.map(({ name }) => name))
  const isNothing = (index: number): boolean =>
    target === null ? records.every(isEmpty(index)) : isEmpty(index)(records[0]!) && !known.has(columnName(index))
  let width = records[0]!.fields.length
  while (width > 1 && isNothing(width - 1)) width--
  return width
}

/** Those that are there more than once. */
export const repeatedNames = (names: readonly string[]): readonly string[] => {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const name of names) (seen.has(name) ? repeated : seen).add(name)
  return [...repeated]
}

const isLikeValue = (text: string): boolean =>
  /^[+-]?(\d|\.\d)/.test(text) || /^(true|false|null|\\N|nan)$/i.test(text) || /^[[{]/.test(text)

/** `true` over numbers, or dates, that are no flags is no value of their column. */
const isNameOfNumbers = ([first, ...others]: readonly SampleRecord[], index: number): boolean => {
  const texts = others.map(({ fields }) => fields[index]?.text ?? '').filter(text => text !== '')
  const isWord = /^(true|false)$/i.test(first!.fields[index]!.text)
  return isWord && texts.every(text => /^[+-]?(\d|\.\d)/.test(text)) && texts.some(text => !/^[01]$/.test(text))
}

const allWords = (names: readonly string[]): boolean => names.every(name => /^[A-Za-z_][A-Za-z0-9_ .-]*$/.test(name))
