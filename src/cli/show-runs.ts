import type { Command } from 'commander'
import { readPages } from './client/pages.ts'
import type { ServerAddress } from './client/server-address.ts'
import type { RunAnswer } from './client/workflow-answer.ts'
import type { CliContext } from './context.ts'
import { count, repeated } from './option-value.ts'
import { paint, RUN_STYLE } from './terminal/colour.ts'
import { durationText, shortTimeText } from './terminal/quantity-text.ts'
import { countsText } from './terminal/run-progress.ts'
import { showList } from './terminal/show-list.ts'
import type { Column } from './terminal/table.ts'

export type RunFilterOptions = {
  readonly status?: readonly string[]
  readonly trigger?: string
  readonly limit: number
  readonly json?: boolean
}

/** The options that every list of runs has. */
export const addRunFilters = (command: Command): Command =>
  command
    .option('-s, --status <status>', 'only these; repeatable or comma-separated', repeated(String))
    .option('-t, --trigger <trigger>', 'only manual or automatic ones')
    .option('-n, --limit <n>', 'at most so many', count, 20)
    .option('--json', 'print JSON: {runs, next_cursor}')

/** Lists the newest runs of a path of the API. */
export const showRuns = async (input: {
  readonly server: ServerAddress
  readonly context: CliContext
  readonly path: string
  /** Beyond those of `addRunFilters`. */
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly options: RunFilterOptions
}): Promise<void> => {
  const { server, context, path, options } = input
  const { status, trigger, limit, json } = options
  const answer = await readPages<RunAnswer, 'runs'>(server, 'runs', {
    path,
    query: { ...input.query, status, trigger },
    limit,
  })
  showList({ context, answer, rows: answer.runs, columns: columns(context, Date.now()), things: 'runs', json })
}

const columns = ({ stdout }: CliContext, now: number): readonly Column<RunAnswer>[] => [
  { title: 'RUN', value: run => run.run_id },
  {
    title: 'STATUS',
    value: run => run.status,
    style: (cell, run) => paint(stdout, RUN_STYLE[run.status], cell),
  },
  { title: 'TRIGGER', value: run => run.trigger },
  { title: 'SLOT', value: run => (run.scheduled_at === null ? '' : shortTimeText(run.scheduled_at, now)) },
  { title: 'STARTED', value: run => (run.started_at === null ? '' : shortTimeText(run.started_at, now)) },
  { title: 'RAN', align: 'right', value: run => ranFor(run, now) },
  { title: 'ITEMS', value: run => countsText(run.counts) },
]

const ranFor = ({ started_at: started, finished_at: finished }: RunAnswer, now: number): string => {
  if (started === null) return ''
  return durationText(Math.max(0, (finished === null ? now : Date.parse(finished)) - Date.parse(started)))
}
