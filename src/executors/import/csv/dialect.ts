import { DELIMITER } from '../../../model/patterns.ts'

/** The dialect of a CSV file. */
export type Dialect = {
  /** One ASCII character. */
  readonly delimiter: string
  /** '': no quotes. */
  readonly quote: '"' | "'" | ''
}

/** Characters that may begin a value for the engine's CSV reader. */
const UNFIT = ['.', '"', "'", 'L', 'U']

/** What is wrong with a delimiter, as words that follow the field's name; null: nothing. */
export const delimiterFault = ({ delimiter, quote }: Dialect): string | null => {
  if (delimiter === quote) return 'must not be the quote'
  if (UNFIT.includes(delimiter)) return `must be none of ${UNFIT.join(' ')}: the engine does not read CSV by them`
  return new RegExp(DELIMITER).test(delimiter) ? null : 'must be one character of ASCII'
}

/** Whether blanks around fields belong to them, since the delimiter is a blank itself. */
export const keepsBlanks = ({ delimiter }: Dialect): boolean => delimiter === '\t' || delimiter === ' '

/** A text in no file, so that NULL means only that a line lacks the field. */
const NO_NULL = '\u0001millrace null\u0001'

/** ClickHouse's settings for a dialect: every field is read as plain text. */
export const dialectSettings = (dialect: Dialect): Readonly<Record<string, string | number>> => ({
  format_csv_delimiter: dialect.delimiter,
  format_csv_allow_double_quotes: dialect.quote === '"' ? 1 : 0,
  format_csv_allow_single_quotes: dialect.quote === "'" ? 1 : 0,
  format_csv_null_representation: NO_NULL,
  input_format_csv_allow_whitespace_or_tab_as_delimiter: keepsBlanks(dialect) ? 1 : 0,
  input_format_csv_trim_whitespaces: keepsBlanks(dialect) ? 0 : 1,
  input_format_csv_detect_header: 0,
  input_format_csv_skip_trailing_empty_lines: 1,
})
