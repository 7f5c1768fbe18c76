import type { Column } from './data-source.ts'

/**
 * What names, types and engines may be. What the engine can check (does the type exist, is the expression valid) is left to it. These rules ensure that a text
 * cannot mean more than it should when it is put into a statement.
 */

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

/** Databases of every engine and of the server itself, and words that the engine does not read as names. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['system', 'information_schema', 'default', 'live', 'tinybird', 'organization', 'millrace'],
  ...['all', 'and', 'any', 'array', 'as', 'asc', 'between', 'by', 'case', 'cross', 'desc', 'distinct', 'else', 'end'],
  ...['except', 'final', 'format', 'from', 'full', 'global', 'group', 'having', 'in', 'inner', 'interpolate'],
  ...['intersect', 'interval', 'into', 'is', 'join', 'left', 'like', 'limit', 'not', 'null', 'offset', 'on', 'or'],
  ...['order', 'outer', 'prewhere', 'qualify', 'right', 'sample', 'select', 'semi', 'settings', 'table', 'then'],
  ...['totals', 'union', 'using', 'values', 'view', 'when', 'where', 'window', 'with'],
])

const QUARANTINE = /_quarantine$/i

/** What is wrong with the name of a data source, a pipe or a node; null: nothing. */
export const nameFault = (name: string): string | null => {
  if (!NAME.test(name)) return 'must be 1 to 128 letters, digits and underscores, and not begin with a digit'
  if (RESERVED.has(name.toLowerCase())) return `is reserved: ${name} means something else in SQL`
  if (QUARANTINE.test(name)) return 'is reserved: names that end in _quarantine are of the rows that do not fit'
  return /^(stg_|c__)/i.test(name) ? 'is reserved: names that begin so are of the server' : null
}

/** Columns of every table in the engine, and of quarantine tables. */
const RESERVED_COLUMNS =
  /^(_part|_part_index|_part_uuid|_part_offset|_part_starting_offset|_part_granule_offset|_part_data_version|_partition_id|_partition_value|_sample_factor|_row_exists|_block_number|_block_offset|_disk_name|_table|_database|c__error_column|c__error|c__import_id|c__row|insertion_date)$/

/** What is wrong with the name of a column; null: nothing. Any text that can be shown on one line is allowed. */
export const columnNameFault = (name: string): string | null => {
  if (name.length === 0 || name.length > 256) return 'must be 1 to 256 characters long'
  if (!name.isWellFormed()) return 'must be well-formed Unicode'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f`\\]/.test(name)) return 'must not hold control characters, backquotes or backslashes'
  return RESERVED_COLUMNS.test(name) ? `is reserved: every table has a column ${name}` : null
}

/** A minus only as the sign of a number: two would start a comment, which could hide a parenthesis from the counting. */
const TYPE_TOKEN = /\s+|[A-Za-z_][A-Za-z0-9_.]*|-?\d+(?:\.\d+)?|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[(),=]/y

/** What is wrong with the text of a type; null: it is one name, with or without arguments in parentheses. */
export const typeFault = (type: string): string | null => {
  // The engine would turn it into columns with other names.
  if (/^\s*Nested\b/i.test(type))
    return 'must not be Nested: take Array(Tuple(…)), or one column of Array(…) for each field'
  const tokens = type.isWellFormed() ? tokenize(type, TYPE_TOKEN) : null
  const isOne =
    tokens !== null &&
    /^[A-Za-z]/.test(tokens[0] ?? '') &&
    (tokens.length === 1 || isEnclosed(tokens.slice(1), '(', ')'))
  return isOne ? null : 'must be a type of ClickHouse such as String, Nullable(Int64) or DateTime64(3)'
}

const tokenize = (text: string, token: RegExp): readonly string[] | null => {
  const tokens: string[] = []
  for (let position = 0; position < text.length; ) {
    token.lastIndex = position
    const match = token.exec(text)
    if (match === null) return null
    if (match[0].trim() !== '') tokens.push(match[0])
    position = token.lastIndex
  }
  return tokens
}

/** Whether one pair of these parentheses encloses everything. */
const isEnclosed = (tokens: readonly string[], open: string, close: string): boolean => {
  let depth = 0
  for (const [index, token] of tokens.entries()) {
    if (token === open) depth += 1
    if (token === close) depth -= 1
    if (depth === 0) return index === tokens.length - 1
  }
  return false
}

const LITERAL_TOKEN = /\s+|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|'(?:[^'\\]|\\.)*'|true|false|[[\],]/iy

/** Whether a column of this type may be NULL. */
export const isNullable = (type: string): boolean => /^\s*(?:LowCardinality\s*\(\s*)?Nullable\b/.test(type)

/** What is wrong with the default of a column; null: nothing. Whether it fits the type is left to the engine. */
export const defaultFault = ({ type, default: given }: Column): string | null => {
  if (given === undefined) return null
  if (isNullable(type)) return 'is not needed: a nullable column is NULL where a value is missing'
  return given.isWellFormed() && isLiteral(tokenize(given, LITERAL_TOKEN) ?? [])
    ? null
    : 'must be a literal: a number, a text in single quotes, true, false, or a list of these in brackets'
}

/** One value, or a list in brackets. The engine refuses a list that is not well formed. */
const isLiteral = (tokens: readonly string[]): boolean =>
  tokens.length === 1 ? !/^[[\],]$/.test(tokens[0]!) : tokens.length > 1 && isEnclosed(tokens, '[', ']')

const ENGINE =
  /^(Replacing|Summing|Aggregating|Collapsing|VersionedCollapsing|Coalescing)?MergeTree(\((?:[A-Za-z_][A-Za-z0-9_]*(?:, ?[A-Za-z_][A-Za-z0-9_]*)*)?\))?$/

/** What is wrong with an engine; null: nothing. */
export const engineFault = (engine: string): string | null =>
  ENGINE.test(engine)
    ? null
    : 'must be MergeTree, ReplacingMergeTree, SummingMergeTree, AggregatingMergeTree, CollapsingMergeTree, VersionedCollapsingMergeTree or CoalescingMergeTree, with names of columns in parentheses where it takes any'
