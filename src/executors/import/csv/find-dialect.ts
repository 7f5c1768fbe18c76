import { ImportFailure } from '../import-failure.ts'
import type { ImportFields } from '../spec.ts'
import { type Dialect, delimiterFault } from './dialect.ts'
import { guessDelimiter } from './guess-delimiter.ts'
import type { Target } from './header.ts'
import { separatorLine } from './separator-line.ts'

/**
 * The dialect of content: from the fields, else from its first line (`separatorLine`), else guessed from its lines. Throws `ImportFailure` `content_unreadable`
 * if the first line names an unusable delimiter.
 */
export const findDialect = (
  { delimiter: said, quote = '"' }: Pick<ImportFields, 'delimiter' | 'quote'>,
  content: Buffer,
  target: Target = null,
): Dialect => {
  const named = said === undefined ? separatorLine(content) : null
  const delimiter = said ?? named?.delimiter ?? guessDelimiter(content, quote, target)
  const dialect: Dialect = { delimiter, quote }
  const fault = named === null ? null : delimiterFault(dialect)
  if (fault === null) return dialect
  throw new ImportFailure(
    'content_unreadable',
    `The first line (sep=${delimiter}) names a delimiter, which ${fault}. Set delimiter: the line is skipped then.`,
  )
}
