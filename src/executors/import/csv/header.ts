import type { DataSource } from '../../../model/data-source.ts'
import type { SampleRecord } from './read-fields.ts'

/** Where rows go; null: it does not exist yet. */
export type Target = Pick<DataSource, 'columns'> | null

/**
 * Whether the first record is a header. With a data source: if a field equals a column's name or, when none looks like a value, differs from one only in case.
 * Without: if no field looks like a value, and what follows is of another kind, or nothing follows, or all are plain words. With missing or duplicate names
 * (pandas leaves its index unnamed), only if values follow.
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

/** Equal for names that differ only in case. */
export const inOneCase = (name: string): string => name.toLowerCase()

/** The names of a header, `column_0` and so on where one is empty. */
export const headerNames = (records: readonly SampleRecord[], target: Target): readonly string[] =>
  records[0]!.fields
    .slice(0, widthOf(records, target))
    .map(({ text }, index) => (text === '' ? columnName(index) : text))

/** The name of a column that has none. */
export const columnName = (index: number): string => `column_${index}`

/**
 * Columns of the first record, without unnamed ones at its end that nothing uses: the data source has no column of that place's default name or, if there is no
 * data source yet, no record has a value there. Spreadsheets write delimiters as far as any cell was ever filled.
 */
const widthOf = (records: readonly SampleRecord[], target: Target): number => {
  const isEmpty = (index: number) => (record: SampleRecord) => (record.fields[index]?.text ?? '') === ''
  // A set: there may be a million columns.
  const known = new Set(target?.columns.map(({ name }) => name))
  const isNothing = (index: number): boolean =>
    target === null ? records.every(isEmpty(index)) : isEmpty(index)(records[0]!) && !known.has(columnName(index))
  let width = records[0]!.fields.length
  while (width > 1 && isNothing(width - 1)) width--
  return width
}

/** Names that occur more than once. */
export const repeatedNames = (names: readonly string[]): readonly string[] => {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const name of names) (seen.has(name) ? repeated : seen).add(name)
  return [...repeated]
}

const isLikeValue = (text: string): boolean =>
  /^[+-]?(\d|\.\d)/.test(text) || /^(true|false|null|\\N|nan)$/i.test(text) || /^[[{]/.test(text)

/** Whether `true` or `false` must be the column's name: the column has numbers or dates, and not only flags (0, 1). */
const isNameOfNumbers = ([first, ...others]: readonly SampleRecord[], index: number): boolean => {
  const texts = others.map(({ fields }) => fields[index]?.text ?? '').filter(text => text !== '')
  const isWord = /^(true|false)$/i.test(first!.fields[index]!.text)
  return isWord && texts.every(text => /^[+-]?(\d|\.\d)/.test(text)) && texts.some(text => !/^[01]$/.test(text))
}

const allWords = (names: readonly string[]): boolean => names.every(name => /^[A-Za-z_][A-Za-z0-9_ .-]*$/.test(name))
