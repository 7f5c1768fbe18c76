import { findServer, type ServerAddress } from '../../client/server-address.ts'
import { confirm } from '../../confirm.ts'
import type { CliContext } from '../../context.ts'
import type { Define } from '../../define.ts'
import { EXIT } from '../../exit-code.ts'
import { CliFailure } from '../../failure.ts'
import { countText } from '../../terminal/count-text.ts'
import { notes } from '../../terminal/note.ts'
import { carryOut } from '../../workflow-files/carry-out.ts'
import { type FileFault, faultText } from '../../workflow-files/fault.ts'
import { loadFiles } from '../../workflow-files/load-files.ts'
import { makePlan, type PlanStep } from '../../workflow-files/plan.ts'
import { planJson, planText } from '../../workflow-files/plan-text.ts'

type ApplyOptions = {
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly prune?: boolean
  readonly set: string
  readonly json?: boolean
}

const HELP = `
All files are checked first, also by the server. If any has an error, nothing is
changed. The changes are shown, without secrets, and must be confirmed.

\${NAME} in a value is replaced by this command's environment variable NAME, so
that files need no secrets; $\${NAME} stands for a literal \${NAME}. In command,
stdin and query nothing is replaced.

Exit codes: 0 done, or nothing to do; 1 there are changes (--dry-run), they were
not confirmed, or a workflow could not be deleted because it still runs; 2 a file
is wrong; 125 the server refused or is unavailable.`

const NOBODY_TO_ASK = 'There is no terminal to ask on; give --yes, or --dry-run to look only.'

const LAST_ONES =
  'To delete the last workflows of a set: `millrace workflows pause NAME`, then `millrace workflows delete NAME`.'

/** `millrace workflows apply PLACE…`: makes the server's workflows match the files. */
export const defineApply: Define = (command, context, finish) => {
  command
    .summary('create, change and delete workflows to match files')
    .description('create, change and delete workflows to match files, after showing the changes')
    .argument('<place...>', 'files, or directories that are searched recursively for .yaml, .yml and .json')
    .option('-y, --yes', 'do not ask for confirmation')
    .option('--dry-run', 'only show the changes; exit with 1 if there are any')
    .option('--prune', 'delete workflows that were applied from this set of files and are in none of them any more')
    .option(
      '--set <name>',
      'name of this set of files; use one per repository that applies to the workspace',
      'default',
    )
    .option('--json', 'print the changes as JSON')
    .addHelpText('after', HELP)
    .action(async (places: readonly string[], options: ApplyOptions) => {
      const server = findServer(context)
      const steps = await planned({ server, places, options, context })
      const changes = steps.filter(step => step.action !== 'keep')
      context.stdout.write(options.json ? `${JSON.stringify(planJson(steps))}\n` : planText(steps, context.stdout))
      if (options.dryRun) return finish(changes.length > 0 ? EXIT.failed : EXIT.ok)
      if (changes.length === 0) return
      const question = `Change ${countText(changes.length, 'workflow')}?`
      if (!options.yes && !(await confirm(context, question, NOBODY_TO_ASK))) return finish(EXIT.failed)
      finish(await write(server, changes, context))
    })
}

const planned = async (input: {
  readonly server: ServerAddress
  readonly places: readonly string[]
  readonly options: ApplyOptions
  readonly context: CliContext
}): Promise<readonly PlanStep[]> => {
  const { server, places, options, context } = input
  const { set, prune = false } = options
  const { workflows, faults } = await loadFiles({ places, set, context })
  // An empty place is probably a mistake, not a wish to delete everything.
  if (workflows.length === 0 && faults.length === 0)
    throw new CliFailure(`no workflows in ${places.join(', ')}`, {
      exitCode: EXIT.usage,
      hint: prune ? LAST_ONES : undefined,
    })
  const plan = await makePlan({ server, files: workflows, set, prune })
  refuseFaults([...faults, ...plan.faults])
  return plan.steps
}

const refuseFaults = (faults: readonly FileFault[]): void => {
  if (faults.length === 0) return
  const list = faults
    .toSorted((a, b) => a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0))
    .map(fault => `\n  ${faultText(fault)}`)
  throw new CliFailure(`${countText(faults.length, 'fault')} in the files; nothing was changed${list.join('')}`, {
    exitCode: EXIT.usage,
  })
}

/** Stops at the first refusal. What was done stays done; applying again does the rest. */
const write = async (
  server: ServerAddress,
  changes: readonly Exclude<PlanStep, { readonly action: 'keep' }>[],
  context: CliContext,
): Promise<number> => {
  const note = notes(context)
  let exitCode: number = EXIT.ok
  for (const step of changes) {
    const result = await carryOut(server, step)
    if (result !== 'open_runs') note(`${step.name} ${result}`)
    else {
      note(`${step.name} is not deleted: a run of it is open. Apply again when it has ended, or terminate it.`)
      exitCode = EXIT.failed
    }
  }
  return exitCode
}
