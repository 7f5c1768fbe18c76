import { type Command, Option } from 'commander'
import { TRIGGERS } from '../model/trigger.ts'
import { RUN_STATUSES } from '../model/workflow.ts'
import { readPages } from './client/pages.ts'
import type { ServerAddress } from './client/server-address.ts'
import type { RunAnswer, WorkflowAnswer } from './client/workflows.ts'
import type { CliContext } from './context.ts'
import { count, repeated } from './option-value.ts'
import { paint, RUN_STYLE } from './terminal/colour.ts'
import { ranText, shortTimeText } from './terminal/quantity-text.ts'
import { countsText } from './terminal/run-progress.ts'
import { showList } from './terminal/show-list.ts'
import type { Column } from './terminal/table.ts'

/** What `addRunFilters` parses. */
export type RunFilterOptions = {
  readonly status?: readonly string[]
  readonly trigger?: string
  readonly limit: number
  readonly json?: boolean
}

/** The options of every list of runs. */
export const addRunFilters = (command: Command): Command =>
  command
    .option('-s, --status <status>', `${RUN_STATUSES.join(', ')}; repeatable or comma-separated`, repeated(String))
    .addOption(new Option('-t, --trigger <trigger>', 'only runs started so').choices(TRIGGERS))
    .option('-n, --limit <n>', 'maximum number of entries', count, 20)
    .option('--json', 'print JSON: {runs, next_cursor}')

/** Lists the newest runs at a path of the API. */
export const showRuns = async (input: {
  readonly server: ServerAddress
  readonly context: CliContext
  readonly path: string
  /** In addition to `addRunFilters`. */
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly options: RunFilterOptions
  /** The runs may belong to several workflows: show the name of each. */
  readonly named?: boolean
}): Promise<void> => {
  const { server, context, path, options, named = false } = input
  const { status, trigger, limit, json } = options
  const answer = await readPages<RunAnswer, 'runs'>(server, 'runs', {
    path,
    query: { ...input.query, status, trigger },
    limit,
  })
  const names = named && !json && answer.runs.length > 0 ? await workflowNames(server) : null
  const shown = [...columns(context, Date.now())]
  if (names) shown.splice(1, 0, { title: 'WORKFLOW', value: run => names.get(run.workflow_id) ?? run.workflow_id })
  showList({ context, answer, rows: answer.runs, columns: shown, things: 'runs', json })
}

/** Only of the newest workflows, to need a single request. Runs of other, or deleted, workflows show the id. */
const MOST_NAMES = 500
const workflowNames = async (server: ServerAddress): Promise<ReadonlyMap<string, string>> => {
  const path = '/v1/workflows'
  const { workflows } = await readPages<WorkflowAnswer, 'workflows'>(server, 'workflows', { path, limit: MOST_NAMES })
  return new Map(workflows.map(({ workflow_id, name }) => [workflow_id, name]))
}

const columns = ({ stdout }: CliContext, now: number): readonly Column<RunAnswer>[] => [
  { title: 'RUN', value: run => run.run_id },
  {
    title: 'STATUS',
    value: run => run.status,
    style: (cell, run) => paint(stdout, RUN_STYLE[run.status], cell),
  },
  { title: 'TRIGGER', value: run => run.trigger },
  { title: 'SLOT', value: run => shortTimeText(run.scheduled_at, now) },
  { title: 'STARTED', value: run => shortTimeText(run.started_at, now) },
  { title: 'RAN', align: 'right', value: run => ranText(run, now) },
  { title: 'ITEMS', value: run => countsText(run.counts) },
]
