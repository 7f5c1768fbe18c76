import { deletePipe, getPipe } from '../../client/pipes.ts'
import { findServer } from '../../client/server-address.ts'
import { confirm } from '../../confirm.ts'
import type { Define } from '../../define.ts'
import { EXIT } from '../../exit-code.ts'
import { countText } from '../../terminal/count-text.ts'

/** `millrace pipes drop NAME`: deletes a pipe, after confirmation. */
export const defineDrop: Define = (command, context, finish) => {
  command
    .description('delete a pipe that no other pipe reads; the data sources it filled stay')
    .argument('<name>', 'name or id of the pipe')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (name: string, { yes }: { yes?: boolean }) => {
      const server = findServer(context)
      const pipe = await getPipe(server, name)
      const question = `Delete ${pipe.name} with ${countText(pipe.nodes.length, 'node')}?`
      if (!yes && !(await confirm(context, question))) return finish(EXIT.failed)
      await deletePipe(server, pipe.pipe_id)
      context.stdout.write(`${pipe.name} deleted\n`)
    })
}
