import type { Command } from 'commander'
import { findServer } from '../../client/server-address.ts'
import { changeWorkflow } from '../../client/workflows.ts'
import type { CliContext } from '../../context.ts'
import type { Define } from '../../define.ts'
import { seconds } from '../../option-value.ts'

/** `millrace workflows pause NAME…`: starts no more runs and items until `resume`; running items finish. */
export const definePause: Define = (command, context) => {
  command.description('start no more runs or items; running items finish')
  change(command, context, 'pause')
}

/** `millrace workflows resume NAME…`: continues after `pause`, and makes a terminated workflow active again. */
export const defineResume: Define = (command, context) => {
  command.description('continue after a pause, or activate a terminated workflow again')
  change(command, context, 'resume')
}

/** `millrace workflows terminate NAME…`: ends its open runs and its schedule. */
export const defineTerminate: Define = (command, context) => {
  command
    .description('end the schedules and the open runs of workflows')
    .option('--grace <seconds>', 'time between SIGTERM and SIGKILL for running items; 0 kills at once', seconds)
  change(command, context, 'terminate')
}

const change = (command: Command, context: CliContext, verb: 'pause' | 'resume' | 'terminate'): void => {
  command
    .argument('<name...>', 'names or ids of workflows')
    .option('--json', 'print the workflows as JSON, one per line')
    .action(async (names: readonly string[], options: { grace?: number; json?: boolean }) => {
      const server = findServer(context)
      for (const name of names) {
        const workflow = await changeWorkflow(server, name, { verb, graceSeconds: options.grace })
        context.stdout.write(options.json ? `${JSON.stringify(workflow)}\n` : `${workflow.name} ${workflow.state}\n`)
      }
    })
}
