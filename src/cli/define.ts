import type { Command } from 'commander'
import type { CliContext } from './context.ts'

/** What a module of `commands/` exports: adds arguments, options and action to the command of its name. `finish` sets the exit code; without it the code is 0. */
export type Define = (command: Command, context: CliContext, finish: (exitCode: number) => void) => void
