import { Option } from 'commander'
import { WRITE_MODES } from '../../model/data-source.ts'
import { findServer } from '../client/server-address.ts'
import { addDataJobOptions, type DataJobOptions, runDataJob } from '../data-job.ts'
import type { Define } from '../define.ts'
import { keyValue, repeated } from '../option-value.ts'

type CopyOptions = DataJobOptions & {
  readonly mode?: string
  readonly param?: readonly (readonly [string, string])[]
}

/** `millrace copy PIPE [NODE]`: writes a copy node's rows into its data source. */
export const copy: Define = (command, context, finish) => {
  addDataJobOptions(
    command
      .argument('<pipe>', 'name or id of the pipe')
      .argument('[node]', 'its copy node; default: the first')
      .addOption(
        new Option('-m, --mode <mode>', "append or replace; default: the node's own mode").choices(WRITE_MODES),
      )
      .option(
        '-p, --param <name=value>',
        'value for {name:Type} in its SQL; repeatable',
        repeated(keyValue('name=value')),
      ),
  ).action(async (pipe: string, node: string | undefined, options: CopyOptions) => {
    const { mode, param } = options
    const body = { copy: { pipe, node, mode, parameters: param && Object.fromEntries(param) } }
    finish(await runDataJob({ server: findServer(context), context, body, options }))
  })
}
