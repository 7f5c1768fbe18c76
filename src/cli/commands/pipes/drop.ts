import { deletePipe, getPipe } from '../../client/pipes.ts'
import { findServer } from '../../client/server-address.ts'
import { confirm } from '../../confirm.ts'
import type { Define } from '../../define.ts'
import { EXIT } from '../../exit-code.ts'

/** `millrace pipes drop NAME`: deletes a pipe, after confirmation. */
export const defineDrop: Define = (command, context, finish) => {
  command
    .description('delete a pipe that no other pipe reads; the data sources it filled stay')
    .argument('<name>', 'name or id of the pipe')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (name: string, { yes }: { yes?: boolean }) => {
      const server = findServer(context)
      const pipe = await getPipe(server, name)
      const question = `Delete the pipe ${pipe.name} with its ${pipe.nodes.length === 1 ? 'node' : `${pipe.nodes.length} nodes`}?`
      if (!yes && !(await confirm(context, question, 'There is no terminal to ask on; give --yes.')))
        return finish(EXIT.failed)
      await deletePipe(server, pipe.pipe_id)
      context.stdout.write(`${pipe.name} deleted\n`)
    })
}
