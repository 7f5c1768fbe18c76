import { clearQuarantine, type DataSourceAnswer, getDataSource, truncateDataSource } from '../../client/data-sources.ts'
import { findServer, type ServerAddress } from '../../client/server-address.ts'
import { confirm } from '../../confirm.ts'
import type { Define } from '../../define.ts'
import { EXIT } from '../../exit-code.ts'
import { quarantinedRowsOf, rowsOf } from './rows-at-stake.ts'

type TruncateOptions = { readonly quarantine?: boolean; readonly import?: string; readonly yes?: boolean }

/** `millrace datasources truncate NAME`: removes all rows, or quarantined ones, after confirmation. */
export const defineTruncate: Define = (command, context, finish) => {
  command
    .description('remove all rows of a data source, including the quarantine')
    .argument('<name>', 'name or id of the data source')
    .option('--quarantine', 'only the quarantined rows')
    .option('--import <job>', 'only the rows that this import has quarantined')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (name: string, options: TruncateOptions) => {
      const server = findServer(context)
      const found = await getDataSource(server, name)
      const { question, work, done } = plan(server, found, options)
      if (!options.yes && !(await confirm(context, question))) return finish(EXIT.failed)
      await work()
      context.stdout.write(`${done}\n`)
    })
}

type Plan = { readonly question: string; readonly work: () => Promise<void>; readonly done: string }

const plan = (server: ServerAddress, found: DataSourceAnswer, options: TruncateOptions): Plan => {
  const { name, datasource_id: id } = found
  const { import: job, quarantine } = options
  if (job !== undefined)
    return {
      question: `Remove the rows of ${job} from the quarantine of ${name}?`,
      work: () => clearQuarantine(server, id, job),
      done: `rows of ${job} removed from the quarantine of ${name}`,
    }
  if (quarantine)
    return {
      question: `Remove ${quarantinedRowsOf(found)} in the quarantine of ${name}?`,
      work: () => clearQuarantine(server, id),
      done: `quarantine of ${name} truncated`,
    }
  return {
    question: `Remove ${rowsOf(found)} of ${name}?`,
    work: () => truncateDataSource(server, id),
    done: `${name} truncated`,
  }
}
