import type { Command } from 'commander'
import type { CliContext } from './context.ts'

/** The export of each module in `commands/`: adds arguments, options and action to its command. `finish` sets the exit code; default: 0. */
export type Define = (command: Command, context: CliContext, finish: (exitCode: number) => void) => void
