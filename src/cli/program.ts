import { Command, CommanderError } from 'commander'
import { ConfigError } from '../kernel/config.ts'
import type { CliContext } from './context.ts'
import type { Define } from './define.ts'
import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'
import { paint } from './terminal/colour.ts'
import { plainLines } from './terminal/plain-text.ts'

/** All commands. Each is loaded only when it is the one called, so that none pays for the others' imports. */
const COMMANDS: readonly { readonly name: string; readonly summary: string; readonly load: () => Promise<Define> }[] = [
  { name: 'serve', summary: 'start the server', load: async () => (await import('./commands/serve.ts')).serve },
  {
    name: 'run',
    summary: 'run a command as a job, follow its log, exit with its code',
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'submit',
    summary: 'submit job bodies from a file',
    load: async () => (await import('./commands/submit.ts')).submit,
  },
  { name: 'jobs', summary: 'list jobs', load: async () => (await import('./commands/jobs.ts')).jobs },
  { name: 'job', summary: 'show one job', load: async () => (await import('./commands/job.ts')).job },
  {
    name: 'logs',
    summary: 'print or follow the log of a job',
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  { name: 'cancel', summary: 'cancel jobs', load: async () => (await import('./commands/cancel.ts')).cancel },
  {
    name: 'rerun',
    summary: 'run a job again with the same parameters',
    load: async () => (await import('./commands/rerun.ts')).rerun,
  },
  {
    name: 'artifacts',
    summary: 'list, download and upload artifacts of a job',
    load: async () => (await import('./commands/artifacts.ts')).artifacts,
  },
  {
    name: 'result',
    summary: 'print or save the result of a job',
    load: async () => (await import('./commands/result.ts')).result,
  },
  {
    name: 'query',
    summary: 'run SQL over the tables of the workspace, print or save its rows',
    load: async () => (await import('./commands/query.ts')).query,
  },
  {
    name: 'datasources',
    summary: 'list, make, empty and delete data sources; rows that did not fit',
    load: async () => (await import('./commands/datasources.ts')).datasources,
  },
  {
    name: 'import',
    summary: 'put the rows of a file or URL into a data source',
    load: async () => (await import('./commands/import.ts')).importRows,
  },
  {
    name: 'pipes',
    summary: 'list, apply and delete pipes',
    load: async () => (await import('./commands/pipes.ts')).pipes,
  },
  {
    name: 'populate',
    summary: 'feed a materialized node the whole history of its source',
    load: async () => (await import('./commands/populate.ts')).populate,
  },
  {
    name: 'copy',
    summary: 'put what a copy node gives into its data source',
    load: async () => (await import('./commands/copy.ts')).copy,
  },
  {
    name: 'workflows',
    summary: 'list, apply, trigger, pause and end workflows',
    load: async () => (await import('./commands/workflows.ts')).workflows,
  },
  {
    name: 'trigger',
    summary: 'run a workflow now, or at a time',
    load: async () => (await import('./commands/trigger.ts')).trigger,
  },
  {
    name: 'runs',
    summary: 'list, watch, pause and end runs of workflows',
    load: async () => (await import('./commands/runs.ts')).runs,
  },
  {
    name: 'analytics',
    summary: 'show how jobs and workflows have done',
    load: async () => (await import('./commands/analytics.ts')).analytics,
  },
  {
    name: 'notifications',
    summary: 'list notifications and mark them as read',
    load: async () => (await import('./commands/notifications.ts')).notifications,
  },
  {
    name: 'deliveries',
    summary: 'list what goes to sinks, and send it again',
    load: async () => (await import('./commands/deliveries.ts')).deliveries,
  },
  {
    name: 'tokens',
    summary: 'list, make and revoke tokens',
    load: async () => (await import('./commands/tokens.ts')).tokens,
  },
  {
    name: 'config',
    summary: 'print the configuration and where each value comes from',
    load: async () => (await import('./commands/config.ts')).config,
  },
  {
    name: 'completion',
    summary: 'print a script that completes commands and options in the shell',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
]

const EXIT_CODES = `
Exit codes:
  0        done; of run: the job completed; of trigger --wait: the run did
  1        a job failed without an exit code of its own, or was cancelled; a run did not complete;
           of workflows apply --dry-run: there is something to change
  2        wrong arguments, configuration or files
  125      the server cannot be reached, or refused
  128 + n  of run: the job was ended by signal n; 130 after Ctrl-C
  other    of run: the exit code of the job

Commands other than serve talk to MILLRACE_URL as MILLRACE_TOKEN; without them to the server of this
directory's data (MILLRACE_DATA_DIR, ./data).
Each command explains itself: millrace run --help`

/** Runs one command line (without the interpreter's own arguments) and resolves with the exit code. */
export const runProgram = async (input: {
  readonly argv: readonly string[]
  readonly version: string
  readonly context: CliContext
}): Promise<number> => {
  const { argv, context } = input
  let exitCode: number = EXIT.ok
  try {
    const program = await createProgram({ ...input, finish: code => (exitCode = code) })
    await program.parseAsync(asksAboutUnknown(argv) ? [argv[1]!] : [...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    return report(error, context)
  }
}

const createProgram = async (input: {
  readonly argv: readonly string[]
  readonly version: string
  readonly context: CliContext
  readonly finish: (exitCode: number) => void
}): Promise<Command> => {
  const program = new Command('millrace')
    .description('Runs jobs next to your data.')
    .version(input.version)
    .enablePositionalOptions()
    .showHelpAfterError('(see --help)')
    .configureOutput({
      writeOut: text => input.context.stdout.write(text),
      writeErr: text => input.context.stderr.write(text),
    })
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
  const wanted = wantedCommand(input.argv)
  // The script for the shell has the options of all commands.
  const needsAll = wanted === 'completion'
  for (const { name, summary, load } of COMMANDS) {
    const command = program.command(name).summary(summary).description(`${summary}.`)
    if (needsAll || name === wanted) (await load())(command, input.context, input.finish)
  }
  return program
}

/** `millrace help run` needs the options of `run` as `millrace run` does. */
const wantedCommand = (argv: readonly string[]): string | undefined => {
  const words = argv.filter(word => !word.startsWith('-'))
  return words[0] === 'help' ? words[1] : words[0]
}

/** `millrace help nope`: commander would print the help of the whole; of `millrace nope` it says what is wrong. */
const asksAboutUnknown = ([help, name]: readonly string[]): boolean =>
  help === 'help' && name !== undefined && name !== help && !COMMANDS.some(command => command.name === name)

const report = (error: unknown, { stderr }: CliContext): number => {
  // commander has already printed what was wrong, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof ConfigError) return tell(stderr, error.message, EXIT.usage)
  if (!(error instanceof CliFailure)) throw error
  const exitCode = tell(stderr, error.message, error.exitCode)
  if (error.hint) stderr.write(`${paint(stderr, 'dim', plainLines(error.hint))}\n`)
  return exitCode
}

const tell = (stderr: NodeJS.WriteStream, message: string, exitCode: number): number => {
  stderr.write(`${paint(stderr, 'red', 'millrace:')} ${plainLines(message)}\n`)
  return exitCode
}
