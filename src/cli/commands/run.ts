import { resolve } from 'node:path'
import type { Command } from 'commander'
import { postOnce, type SubmitAnswer } from '../client/jobs.ts'
import { findServer } from '../client/server-address.ts'
import type { CliContext } from '../context.ts'
import type { Define } from '../define.ts'
import { readExactText } from '../local-file.ts'
import { keyValue, positiveSeconds, repeated, wholeNumber } from '../option-value.ts'
import { submitWatched } from '../submit-watched.ts'
import { watchJob } from '../watch-job.ts'

/** `millrace run -- CMD…`: submits a command, follows its log, exits with its exit code. */
export const run: Define = (command, context, finish) => {
  addOptions(command)
    .argument('<command...>', 'one word is run by /bin/sh -c; several are a program and its arguments')
    .action(async (words: readonly string[], options: RunOptions) => {
      const server = findServer(context)
      const request = { path: '/v1/jobs', json: await jobBody(words, options, context) }
      if (!options.detach)
        return finish(await watchJob({ server, context, ...(await submitWatched(server, context, request)) }))
      const { job_id: jobId } = await postOnce<SubmitAnswer>(server, request)
      context.stdout.write(`${jobId}\n`)
    })
}

const addOptions = (command: Command): Command =>
  command
    .passThroughOptions()
    .usage('[options] [--] CMD...')
    .option('-d, --detach', 'print the id of the job and do not wait')
    .option('--name <name>', 'name of the job')
    .option('-e, --env <KEY=VALUE>', 'environment variable; repeatable', repeated(keyValue('KEY=VALUE')))
    .option('--cwd <dir>', 'working directory on the server; default: an empty directory')
    .option('--timeout <seconds>', 'stop the job after this time', positiveSeconds)
    .option('--artifact <glob>', 'pattern of files in the working directory to keep; repeatable', repeated(String))
    .option('-l, --label <key=value>', 'label; repeatable', repeated(keyValue('key=value')))
    .option('--priority <n>', '-100 to 100; higher runs first', wholeNumber)
    .option('--queue <name>', 'queue')
    .option('--stdin', 'pass standard input to the command')

type RunOptions = {
  readonly detach?: boolean
  readonly name?: string
  readonly env?: readonly (readonly [string, string])[]
  readonly cwd?: string
  readonly timeout?: number
  readonly artifact?: readonly string[]
  readonly label?: readonly (readonly [string, string])[]
  readonly priority?: number
  readonly queue?: string
  readonly stdin?: boolean
}

const jobBody = async (words: readonly string[], options: RunOptions, context: CliContext): Promise<unknown> => ({
  command: words.length === 1 ? words[0] : words,
  name: options.name,
  environment: options.env && Object.fromEntries(options.env),
  working_dir: options.cwd && resolve(context.directory, options.cwd),
  timeout_seconds: options.timeout,
  artifacts: options.artifact,
  labels: options.label && Object.fromEntries(options.label),
  priority: options.priority,
  queue: options.queue,
  stdin: options.stdin ? await readExactText('-', context) : undefined,
})
