import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { AttemptFiles } from './attempt-files.ts'
import type { JobUser } from './job-user.ts'
import { findProgram, isFile } from './launcher/program-path.ts'
import { isWithin, sandboxed } from './sandbox.ts'
import type { CommandSpec } from './spec.ts'

/** What to start. */
export type CommandPlan = {
  readonly argv: readonly [string, ...string[]]
  /** Where the process starts. A sandbox changes to `directory` itself. */
  readonly workingDir: string
  /** The working directory of the command. */
  readonly directory: string
  readonly stdin: string | null
}
export type Refusal = { readonly reason: 'command_not_found' | 'working_dir_missing'; readonly message: string }

type Input = {
  readonly spec: CommandSpec
  readonly environment: Readonly<Record<string, string>>
  readonly files: AttemptFiles
  /** The attempt's own temporary directory, or null. */
  readonly tempDir: string | null
  readonly user: JobUser
  readonly sandbox: 'none' | 'bubblewrap'
  /** Directories of the server that commands must not use. */
  readonly forbidden: readonly string[]
}

/** Limit for one argument in bytes, including its terminating NUL (Linux, MAX_ARG_STRLEN). */
const LONGEST_ARGUMENT = 128 * 1024
/** No Linux accepts more argument and environment bytes than this (three quarters of the largest stack it assumes). */
const MOST_ARGUMENT_BYTES = 6 * 1024 * 1024

/** Creates the files that the command needs and returns what to start. */
export const planCommand = (input: Input): CommandPlan | Refusal => {
  const { spec, files } = input
  const shown: string[] = []
  const argv = toArgv(spec.command, script => {
    const path = files.write('script', script)
    shown.push(path)
    return path
  })
  const fault = findFault(argv, input.environment)
  if (fault !== null) return { reason: 'command_not_found', message: fault }
  const directory = findWorkingDir(input)
  if (typeof directory !== 'string') return directory
  const stdin = spec.stdin === undefined || spec.stdin === '' ? null : files.write('stdin', spec.stdin)
  if (input.sandbox === 'none') return { argv, workingDir: directory, directory, stdin }
  return planSandboxed({ ...input, argv, directory, stdin, shown })
}

/** A string goes to the shell: as an argument, or as a file if it is too long for one. */
const toArgv = (
  command: CommandSpec['command'],
  writeScript: (text: string) => string,
): readonly [string, ...string[]] => {
  if (typeof command !== 'string') return command as [string, ...string[]]
  if (Buffer.byteLength(command) < LONGEST_ARGUMENT) return ['/bin/sh', '-c', command]
  return ['/bin/sh', writeScript(command)]
}

const findFault = (argv: readonly string[], environment: Readonly<Record<string, string>>): string | null => {
  const texts = [...argv, ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)]
  if (argv[0] === '') return 'The name of the program is empty.'
  if (texts.some(text => text.includes('\0')))
    return 'The command or its environment holds a NUL character, which no program can be given.'
  if (texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) > MOST_ARGUMENT_BYTES) return TOO_LONG
  return null
}

export const TOO_LONG =
  'The argument list or the environment is too long for the system. Pass data as stdin or in files instead.'

const findWorkingDir = ({ spec, files, forbidden }: Input): string | Refusal => {
  if (spec.working_dir === undefined) return files.makeDirectory()
  const missing = (why: string): Refusal => ({ reason: 'working_dir_missing', message: `${spec.working_dir} ${why}.` })
  try {
    const real = realpathSync(spec.working_dir)
    if (!statSync(real).isDirectory()) return missing('is not a directory')
    if (forbidden.some(directory => isWithin(real, directory))) return missing("is inside the server's own directory")
    return real
  } catch {
    return missing('does not exist')
  }
}

type SandboxedInput = Input & Omit<CommandPlan, 'workingDir'> & { readonly shown: readonly string[] }

const planSandboxed = (input: SandboxedInput): CommandPlan | Refusal => {
  const { argv, directory, tempDir, stdin, shown, forbidden, user, environment } = input
  // Check first: inside the sandbox, a missing program would look like one that exited with code 1.
  const places = findProgram(argv[0], { path: environment.PATH ?? '', workingDir: directory })
  if (!places.some(path => isFile(resolve(directory, path))))
    return { reason: 'command_not_found', message: notFound(argv[0]) }
  const wrapped = sandboxed({
    argv,
    workingDir: directory,
    isMovable: input.spec.working_dir !== undefined,
    writable: tempDir === null ? [] : [tempDir],
    shown,
    hidden: forbidden,
    asRoot: user.uid === 0,
    asOther: user.isOther,
  })
  return { argv: wrapped, workingDir: '/', directory, stdin }
}

export const notFound = (program: string): string => `${JSON.stringify(program)} does not exist or cannot be executed.`
