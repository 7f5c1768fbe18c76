import { type Exit, failed, type Outcome } from '../../model/outcome.ts'
import { notFound, TOO_LONG } from './command-plan.ts'
import type { CommandEnd } from './launcher.ts'

type Input = {
  readonly end: CommandEnd
  /** The attempt was stopped. */
  readonly stopped: boolean
  readonly program: string
  readonly workingDir: string
}

/** Converts the end of a command to an outcome. The first cause wins: a command that ended before it was stopped has ended by itself. */
export const toOutcome = ({ end, stopped, program, workingDir }: Input): Outcome => {
  if (end.is === 'lost') return stopped ? { type: 'stopped' } : failed('launcher_lost')
  if (end.is === 'refused') return toRefusal(end, { program, workingDir })
  const exit: Exit = { exitCode: end.exitCode, signal: end.signal }
  if (end.cause === 'lease') return { ...failed('worker_lost', LEASE_RAN_OUT), exit }
  if (end.cause === 'order' || (exit.exitCode === null && exit.signal === null)) return { type: 'stopped', exit }
  if (exit.exitCode === 0) return { type: 'completed', exit }
  if (exit.signal !== null) return { ...failed('signal', `The command was ended by ${exit.signal}.`), exit }
  return { ...failed('exit_code', `The command ended with exit code ${exit.exitCode}.`), exit }
}

const LEASE_RAN_OUT = 'The worker did not renew its lease in time; the command was killed.'

type Refused = Extract<CommandEnd, { is: 'refused' }>

const toRefusal = (
  { error, what }: Refused,
  { program, workingDir }: { program: string; workingDir: string },
): Outcome => {
  if (what === 'working_dir') return failed('working_dir_missing', `${workingDir} cannot be entered (${error}).`)
  if (error === 'E2BIG') return failed('command_not_found', TOO_LONG)
  if (NOT_EXECUTABLE.has(error)) return failed('command_not_found', `${notFound(program)} (${error})`)
  return failed('spawn_failed', `The system could not start the command (${error}).`)
}

/** Error codes that concern the program. The others (EAGAIN, ENOMEM, EMFILE, …) concern the system. */
const NOT_EXECUTABLE: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'ENOEXEC',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EINVAL',
  'ETXTBSY',
  'ELIBBAD',
])
