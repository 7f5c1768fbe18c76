import type { Command } from 'commander'
import { call } from '../../client/request.ts'
import { findServer } from '../../client/server-address.ts'
import { type RunAnswer, runPath } from '../../client/workflows.ts'
import type { CliContext } from '../../context.ts'
import type { Define } from '../../define.ts'
import { seconds } from '../../option-value.ts'

/** `millrace runs pause ID…`: starts no more items until `resume`; running ones finish. */
export const definePause: Define = (command, context) => {
  command.description('start no more items; running items finish')
  change(command, context, 'pause')
}

/** `millrace runs resume ID…`. */
export const defineResume: Define = (command, context) => {
  command.description('continue after a pause')
  change(command, context, 'resume')
}

/** `millrace runs terminate ID…`: cancels all items that have not ended. */
export const defineTerminate: Define = (command, context) => {
  command
    .description('cancel all items of open runs')
    .option('--grace <seconds>', 'time between SIGTERM and SIGKILL for running items; 0 kills at once', seconds)
  change(command, context, 'terminate')
}

const change = (command: Command, context: CliContext, verb: string): void => {
  command
    .argument('<id...>', 'ids of runs')
    .option('--json', 'print the runs as JSON, one per line')
    .action(async (ids: readonly string[], { grace, json }: { grace?: number; json?: boolean }) => {
      const server = findServer(context)
      for (const id of ids) {
        const run = await call<RunAnswer>(server, {
          method: 'POST',
          path: runPath(id, `/${verb}`),
          ...(grace === undefined ? {} : { json: { timeout_seconds: grace } }),
        })
        context.stdout.write(json ? `${JSON.stringify(run)}\n` : `${id} ${run.status}\n`)
      }
    })
}
