import { deleteDataSource, getDataSource } from '../../client/data-sources.ts'
import { findServer } from '../../client/server-address.ts'
import { confirm } from '../../confirm.ts'
import type { Define } from '../../define.ts'
import { EXIT } from '../../exit-code.ts'
import { rowsOf } from './rows-at-stake.ts'

/** `millrace datasources drop NAME`: deletes a data source with its rows, after confirmation. */
export const defineDrop: Define = (command, context, finish) => {
  command
    .description('delete a data source and its rows, unless a pipe uses it')
    .argument('<name>', 'name or id of the data source')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (name: string, { yes }: { yes?: boolean }) => {
      const server = findServer(context)
      const found = await getDataSource(server, name)
      if (!yes && !(await confirm(context, `Delete ${found.name} with ${rowsOf(found)}?`))) return finish(EXIT.failed)
      await deleteDataSource(server, found.datasource_id)
      context.stdout.write(`${found.name} deleted\n`)
    })
}
