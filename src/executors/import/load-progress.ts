import type { Statements } from '../../data/statements.ts'
import type { ExecutionContext } from '../executor.ts'
import { followProgress } from '../follow-progress.ts'
import { toProgress } from '../progress-text.ts'
import type { Download } from './download.ts'
import type { LoadCounts } from './load/load-content.ts'
import type { Sample } from './spool/read-sample.ts'

type Input = {
  readonly statements: Statements
  readonly context: ExecutionContext
  /** The estimated number of rows; null: unknown. */
  readonly likelyRows: () => number | null
}

/** Reports how many rows are loaded while `load` runs. At the end reports all of them, if it took long enough to report any. */
export const withLoadProgress = async (input: Input, load: () => Promise<LoadCounts>): Promise<LoadCounts> => {
  const { statements, context, likelyRows } = input
  const follower = followProgress(async () => {
    const progress = await statements.progress()
    // Only reads of tables have a total: this progress is of another statement.
    return progress === null || progress.totalRows !== null ? null : { ...progress, totalRows: likelyRows() }
  }, context)
  try {
    const counts = await load()
    await follower.end()
    if (follower.latest() !== null) context.progress(toProgress({ rowsRead: counts.read, totalRows: counts.read }))
    return counts
  } finally {
    await follower.end()
  }
}

const LINE_FEED = 0x0a

/** Estimates the rows of text, as if all lines were as long as in the sample and no value had a line end. null: the size is unknown. */
export const guessRows = ({ bytes }: Sample, download: Download): number | null => {
  const contentBytes = download.contentBytes()
  const lines = countLines(bytes)
  return contentBytes === null || lines === 0 ? null : Number(((contentBytes / bytes.length) * lines).toPrecision(3))
}

const countLines = (bytes: Buffer): number => {
  let lines = 0
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) lines++
  return lines
}
