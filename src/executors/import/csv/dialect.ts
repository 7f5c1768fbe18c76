import { DELIMITER } from '../../../model/patterns.ts'

/** How a CSV is written. */
export type Dialect = {
  /** One character of ASCII. */
  readonly delimiter: string
  /** '': no quotes. */
  readonly quote: '"' | "'" | ''
}

/** What may begin a value, to the engine's reader of CSV. */
const UNFIT = ['.', '"', "'", 'L', 'U']

/** In words that follow its name; null: values may be parted by it. */
export const delimiterFault = ({ delimiter, quote }: Dialect): string | null => {
  if (delimiter === quote) return 'must not be the quote'
  if (UNFIT.includes(delimiter)) return `must be none of ${UNFIT.join(' ')}: the engine does not read CSV by them`
  return new RegExp(DELIMITER).test(delimiter) ? null : 'must be one character of ASCII'
}

/** Where fields are parted by blanks, no blank around them is anything else than a part of them. */
export const keepsBlanks = ({ delimiter }: Dialect): boolean => delimiter === '\t' || delimiter === ' '

/** A text that no file has, so that NULL is what a line does not have at all. */
const NO_NULL = '\u0001millrace null\u0001'

/** Settings by which ClickHouse reads it: every field as the text that it is. */
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
