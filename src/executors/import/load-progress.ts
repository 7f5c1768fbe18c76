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
  /** How many there may be; null: nobody knows. */
  readonly likelyRows: () => number | null
}

/** Tells a job how many rows of content are loaded while `load` goes on, and all of them when it took long enough to tell. */
export const withLoadProgress = async (input: Input, load: () => Promise<LoadCounts>): Promise<LoadCounts> => {
  const { statements, context, likelyRows } = input
  const follower = followProgress(async () => {
    const progress = await statements.progress()
    // A total is known of tables, not of content: it was looked at something else.
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

/** Rows of text, if all lines are as long as those of the sample; a guess: values may have line ends. null: nobody knows how long it is. */
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
