import { getDataSource, truncateDataSource } from '../../client/data-sources.ts'
import { findServer } from '../../client/server-address.ts'
import { confirm } from '../../confirm.ts'
import type { Define } from '../../define.ts'
import { EXIT } from '../../exit-code.ts'
import { rowsOf } from './rows-at-stake.ts'

/** `millrace datasources truncate NAME`: removes all rows, after confirmation. */
export const defineTruncate: Define = (command, context, finish) => {
  command
    .description('remove all rows of a data source, including the quarantine')
    .argument('<name>', 'name or id of the data source')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (name: string, { yes }: { yes?: boolean }) => {
      const server = findServer(context)
      const found = await getDataSource(server, name)
      if (!yes && !(await confirm(context, `Remove ${rowsOf(found)} of ${found.name}?`))) return finish(EXIT.failed)
      await truncateDataSource(server, found.datasource_id)
      context.stdout.write(`${found.name} truncated\n`)
    })
}
