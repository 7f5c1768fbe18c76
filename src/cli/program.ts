import { Command, CommanderError } from 'commander'
import { ConfigError } from '../kernel/config.ts'
import type { CliContext } from './context.ts'
import type { Define } from './define.ts'
import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'
import { paint } from './terminal/colour.ts'
import { plainLines } from './terminal/plain-text.ts'

/** All commands. Only the called one is loaded, so that it does not pay for the others' imports. */
const COMMANDS: readonly { readonly name: string; readonly summary: string; readonly load: () => Promise<Define> }[] = [
  { name: 'serve', summary: 'start the server', load: async () => (await import('./commands/serve.ts')).serve },
  {
    name: 'run',
    summary: 'run a command as a job, follow its log, exit with its code',
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'submit',
    summary: 'submit jobs from a JSON file',
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
    summary: 'run a SQL query and print or save the rows',
    load: async () => (await import('./commands/query.ts')).query,
  },
  {
    name: 'datasources',
    summary: 'list, create, alter, truncate and drop data sources; show quarantined rows',
    load: async () => (await import('./commands/datasources.ts')).datasources,
  },
  {
    name: 'import',
    summary: 'import a file or URL into a data source',
    load: async () => (await import('./commands/import.ts')).importRows,
  },
  {
    name: 'delete',
    summary: 'delete the rows of a data source that match a condition',
    load: async () => (await import('./commands/delete.ts')).deleteRows,
  },
  {
    name: 'pipes',
    summary: 'list, apply and delete pipes',
    load: async () => (await import('./commands/pipes.ts')).pipes,
  },
  {
    name: 'populate',
    summary: 'feed existing rows of the source to a materialized node',
    load: async () => (await import('./commands/populate.ts')).populate,
  },
  {
    name: 'copy',
    summary: 'run a copy node and write its rows to its data source',
    load: async () => (await import('./commands/copy.ts')).copy,
  },
  {
    name: 'workflows',
    summary: 'list, apply, trigger, pause and terminate workflows',
    load: async () => (await import('./commands/workflows.ts')).workflows,
  },
  {
    name: 'trigger',
    summary: 'run a workflow now or at a given time',
    load: async () => (await import('./commands/trigger.ts')).trigger,
  },
  {
    name: 'runs',
    summary: 'list, watch, pause and terminate runs of workflows',
    load: async () => (await import('./commands/runs.ts')).runs,
  },
  {
    name: 'analytics',
    summary: 'show statistics of jobs and workflows',
    load: async () => (await import('./commands/analytics.ts')).analytics,
  },
  {
    name: 'notifications',
    summary: 'list notifications and mark them as read',
    load: async () => (await import('./commands/notifications.ts')).notifications,
  },
  {
    name: 'deliveries',
    summary: 'list deliveries to sinks, and send them again',
    load: async () => (await import('./commands/deliveries.ts')).deliveries,
  },
  {
    name: 'tokens',
    summary: 'list, create and revoke tokens',
    load: async () => (await import('./commands/tokens.ts')).tokens,
  },
  {
    name: 'config',
    summary: 'print the configuration and where each value comes from',
    load: async () => (await import('./commands/config.ts')).config,
  },
  {
    name: 'completion',
    summary: 'print a completion script for the shell',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
]

/** At most 80 wide: unlike the help itself, this is not wrapped to the terminal. */
const EXIT_CODES = `
Exit codes:
  0        success; run: the job completed; trigger --wait: the run completed
  1        a job failed without an exit code, or was cancelled; a run did not
           complete; workflows apply --dry-run: there are changes
  2        invalid arguments, configuration or files
  125      the server cannot be reached, or refused
  128 + n  run: the job was ended by signal n; 130 after Ctrl-C
  other    run: the exit code of the job

All commands except serve, config and completion talk to the server at
MILLRACE_URL with the token MILLRACE_TOKEN. Without these they use the local
server of the data directory (MILLRACE_DATA_DIR, default ./data).
For help on a command: millrace run --help`

/** Runs a command line (without the interpreter's own arguments) and resolves with the exit code. */
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
    .description('A self-hosted job server: runs commands, functions, HTTP calls and SQL as jobs.')
    .version(input.version)
    .enablePositionalOptions()
    .showHelpAfterError('(see --help)')
    .configureOutput({
      writeOut: text => input.context.stdout.write(text),
      writeErr: text => input.context.stderr.write(text),
      outputError: text => tell(input.context, text.replace(/^error: |\n$/g, '')),
    })
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
  const wanted = wantedCommand(input.argv)
  // The shell's script needs the options of all commands.
  const needsAll = wanted === 'completion'
  for (const { name, summary, load } of COMMANDS) {
    const command = program.command(name).description(summary)
    if (needsAll || name === wanted) (await load())(command, input.context, input.finish)
  }
  return program
}

/** `millrace help run` needs the options of `run`, like `millrace run`. */
const wantedCommand = (argv: readonly string[]): string | undefined => {
  const words = argv.filter(word => !word.startsWith('-'))
  return words[0] === 'help' ? words[1] : words[0]
}

/** For `millrace help nope`, commander would print the general help; for `millrace nope` it reports the error. */
const asksAboutUnknown = ([help, name]: readonly string[]): boolean =>
  help === 'help' && name !== undefined && name !== help && !COMMANDS.some(command => command.name === name)

const report = (error: unknown, context: CliContext): number => {
  // commander has already printed the error, or the requested help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (!(error instanceof ConfigError || error instanceof CliFailure)) throw error
  tell(context, error.message)
  if (error instanceof ConfigError) return EXIT.usage
  const { stderr } = context
  if (error.hint) stderr.write(`${paint(stderr, 'dim', plainLines(error.hint))}\n`)
  return error.exitCode
}

const tell = ({ stderr }: CliContext, message: string): void => {
  stderr.write(`${paint(stderr, 'red', 'millrace:')} ${plainLines(message)}\n`)
}
