import { getDataSource } from '../client/data-sources.ts'
import type { JobAnswer } from '../client/job-answer.ts'
import { findServer, type ServerAddress } from '../client/server-address.ts'
import { confirm, requireTerminal } from '../confirm.ts'
import type { CliContext } from '../context.ts'
import { addDataJobOptions, type DataJobOptions, runDataJob } from '../data-job.ts'
import type { Define } from '../define.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { jobFailure } from '../job-failure.ts'
import { submitWatched } from '../submit-watched.ts'
import { countText } from '../terminal/count-text.ts'
import { notes } from '../terminal/note.ts'
import { watchProgress } from '../watch-progress.ts'

type DeleteOptions = DataJobOptions & { readonly dryRun?: boolean; readonly yes?: boolean }

const HELP = `
To remove all rows: millrace datasources truncate NAME
To delete the data source itself: millrace datasources drop NAME`

/** `millrace delete DATASOURCE CONDITION`: deletes the rows that match, after they were counted and the deletion confirmed. */
export const deleteRows: Define = (command, context, finish) => {
  command.addHelpText('after', HELP)
  addDataJobOptions(
    command
      .argument('<datasource>', 'name or id of the data source')
      .argument('<condition>', 'expression over its columns: "day < \'2025-01-01\'"')
      .option('--dry-run', 'only count the rows')
      .option('-y, --yes', 'do not ask for confirmation'),
  ).action(async (datasource: string, condition: string, options: DeleteOptions) => {
    const { dryRun, yes } = options
    refuseQuarantine(datasource)
    const server = findServer(context)
    const { name } = await getDataSource(server, datasource)
    const body = { delete: { datasource: name, condition, dry_run: dryRun } }
    if (!dryRun && !yes) {
      requireTerminal(context)
      const count = await countRows({ server, context, body: { delete: { ...body.delete, dry_run: true } } })
      if (count === null) return finish(EXIT.interrupted)
      if (count === 0) return notes(context)('no rows match')
      if (!(await confirm(context, `Delete ${countText(count, 'row')} of ${name}?`))) return finish(EXIT.failed)
    }
    finish(await runDataJob({ server, context, body, options }))
  })
}

/** No data source has such a name, but queries can read a quarantine by it. */
const refuseQuarantine = (name: string): void => {
  const [, source] = /^(.+)_quarantine$/.exec(name) ?? []
  if (source !== undefined)
    throw new CliFailure(
      `${name} is a quarantine; remove rows with: millrace datasources truncate ${source} --quarantine`,
      {
        exitCode: EXIT.usage,
        hint: 'With --import JOB only those of one import.',
      },
    )
}

type Counting = { readonly server: ServerAddress; readonly context: CliContext; readonly body: unknown }

/** null: Ctrl-C. */
const countRows = async ({ server, context, body }: Counting): Promise<number | null> => {
  const submitted = await submitWatched(server, context, { path: '/v1/jobs', json: body })
  const job: JobAnswer | null = await watchProgress({ server, context, ...submitted })
  if (job === null) return null
  if (job.status !== 'completed') throw jobFailure(job)
  return job.statistics?.rows_to_be_deleted ?? 0
}
