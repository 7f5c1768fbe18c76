import type { Staged } from '../../data/write/write-rows.ts'
import { quarantineOf } from '../../model/data-source.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import { ImportFailure } from './import-failure.ts'
import type { LoadCounts } from './load/load-content.ts'
import type { ImportFields } from './spec.ts'

type MaxBadRows = ImportFields['max_bad_rows']

/** Whether there are more bad rows than allowed. */
const isTooMany = ({ read, quarantined, invalid }: LoadCounts, limit: MaxBadRows): boolean => {
  const bad = quarantined + invalid
  if (limit === undefined || bad === 0) return false
  if (typeof limit === 'string' && limit.endsWith('%')) return bad > (read * Number(limit.slice(0, -1))) / 100
  return bad > Number(limit)
}

/** Throws `ImportFailure` `too_many_bad_rows`, with examples. */
export const checkBadRows = async (staged: Staged, counts: LoadCounts, limit: MaxBadRows): Promise<void> => {
  if (!isTooMany(counts, limit)) return
  throw await tooMany(staged, counts, `${limit} are allowed.`)
}

/**
 * Checks that a replace has rows. Throws `ImportFailure`: `content_unreadable` if the content has none, `too_many_bad_rows` if all are bad and no
 * `max_bad_rows` allows it.
 */
export const checkReplacement = async (staged: Staged, counts: LoadCounts, limit: MaxBadRows): Promise<void> => {
  if (counts.read === 0)
    throw new ImportFailure(
      'content_unreadable',
      'The content has no rows. To remove all rows, truncate the data source.',
    )
  if (counts.written === 0 && limit === undefined)
    throw await tooMany(staged, counts, 'and nothing would be left: max_bad_rows says whether that is meant.')
}

const tooMany = async (staged: Staged, counts: LoadCounts, what: string): Promise<ImportFailure> => {
  const { read, quarantined, invalid } = counts
  const examples = [...(await quarantineExamples(staged)), ...counts.samples.slice(0, 3).map(shownLine)]
  return new ImportFailure(
    'too_many_bad_rows',
    `${quarantined + invalid} of ${read} rows are bad (${quarantined} do not fit, ${invalid} cannot be read), ${what} For example ${examples.join('; ')}.`,
  )
}

export const shownLine = ({ line, text, why }: LoadCounts['samples'][number]): string =>
  `line ${line} ${why}: ${text.trim()}`

const quarantineExamples = async ({ statements, database, target }: Staged): Promise<readonly string[]> => {
  const values = target.columns.map(({ name }) => `toString(${quoteIdentifier(name)})`).join(', ')
  const rows = await statements.rows<Record<typeof COMPLAINT | typeof ROW, string>>({
    database,
    sql: `SELECT arrayStringConcat(arrayMap((name, why) -> if(startsWith(why, name), why, concat(name, ': ', why)),
        c__error_column, c__error), ', ') AS ${quoteIdentifier(COMPLAINT)}, substring(toJSONString([${values}]), 1, 200) AS ${quoteIdentifier(ROW)}
      FROM ${quoteIdentifier(quarantineOf(target.name))} LIMIT 3`,
  })
  return rows.map(found => `${found[COMPLAINT]}: ${found[ROW]}`)
}

/** No user column can have these names. */
const COMPLAINT = '\tcomplaint'
const ROW = '\trow'
