import { setTimeout as delay } from 'node:timers/promises'
import { findServer, type ServerAddress } from '../../client/server-address.ts'
import { changeWorkflow, deleteWorkflow, listOpenRuns } from '../../client/workflows.ts'
import type { Define } from '../../define.ts'
import { EXIT } from '../../exit-code.ts'
import { CliFailure } from '../../failure.ts'
import { seconds } from '../../option-value.ts'

type DeleteOptions = { readonly terminate?: boolean; readonly grace?: number }

/** `millrace workflows delete NAME…`: deletes workflows; their jobs stay. */
export const defineDelete: Define = (command, context) => {
  command
    .description('delete paused or terminated workflows without open runs; their jobs stay')
    .argument('<name...>', 'names or ids of workflows')
    .option('--terminate', 'terminate the workflows and their open runs first, and wait')
    .option('--grace <seconds>', 'with --terminate: time between SIGTERM and SIGKILL for running items', seconds)
    .action(async (names: readonly string[], options: DeleteOptions) => {
      if (options.grace !== undefined && !options.terminate)
        throw new CliFailure('--grace needs --terminate', { exitCode: EXIT.usage })
      const server = findServer(context)
      for (const name of names) {
        if (options.terminate) await end(server, name, options.grace)
        await deleteWorkflow(server, name)
        context.stdout.write(`${name} deleted\n`)
      }
    })
}

const PAUSE_MS = 250

const end = async (server: ServerAddress, name: string, graceSeconds: number | undefined): Promise<void> => {
  await changeWorkflow(server, name, { verb: 'terminate', graceSeconds })
  while ((await listOpenRuns(server, name)).length > 0) await delay(PAUSE_MS)
}
