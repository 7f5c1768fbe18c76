import { InvalidArgumentError } from 'commander'
import { findServer } from '../client/server-address.ts'
import { addDataJobOptions, type DataJobOptions, runDataJob } from '../data-job.ts'
import type { Define } from '../define.ts'

type PopulateOptions = DataJobOptions & {
  readonly subset?: number
  readonly condition?: string
  readonly truncate?: boolean
}

/** `millrace populate PIPE [NODE]`: feeds the existing rows of its source to a materialized node. */
export const populate: Define = (command, context, finish) => {
  addDataJobOptions(
    command
      .argument('<pipe>', 'name or id of the pipe')
      .argument('[node]', 'its materialized node; default: the first')
      .option('--subset <share>', 'only this share of the rows, at most 0.1, to try out the node', share)
      .option('--condition <expression>', 'only rows of the source that match')
      .option('--truncate', 'replace the existing rows'),
  ).action(async (pipe: string, node: string | undefined, options: PopulateOptions) => {
    const { subset, condition, truncate } = options
    const body = { populate: { pipe, node, subset, condition, truncate } }
    finish(await runDataJob({ server: findServer(context), context, body, options }))
  })
}

const share = (value: string): number => {
  const number = Number(value)
  if (value.trim() === '' || !(number > 0)) throw new InvalidArgumentError('It must be a number above 0, such as 0.05.')
  return number
}
