import type { Command } from 'commander'
import { type LoadedConfig, loadConfig, misspeltSettings } from '../kernel/config.ts'
import { settings } from '../kernel/settings.ts'
import type { CliContext } from './context.ts'
import { notes } from './terminal/note.ts'

/** Adds a flag for each setting (`--port <value>`), with its variable and default in the help. */
export const addSettingFlags = (command: Command): Command => {
  for (const { flag, isSwitch, env, about, default: fallback } of settings)
    command.option(
      `--${flag} ${isSwitch ? '[value]' : '<value>'}`,
      `${about} (${env}${fallback === '' ? '' : `, default ${fallback}`})`,
    )
  return command
}

/** The configuration from flags, environment and file. Throws `ConfigError` with all faults. */
export const loadWithFlags = (command: Command, context: CliContext): LoadedConfig =>
  loadConfig({ flags: flagsOf(command), environment: context.environment, directory: context.directory })

/** A misspelt variable has no effect, which is easily overlooked. */
export const warnOfMisspelt = (context: CliContext): void => {
  for (const { name, meant } of misspeltSettings(context.environment))
    notes(context)(`the variable ${name} is not a setting and has no effect; did you mean ${meant}?`)
}

const flagsOf = (command: Command): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(
    command.options
      .filter(option => settings.some(setting => setting.flag === option.name()))
      .map(option => [option.name(), textOf(command.opts()[option.attributeName()])]),
  )

/** commander returns `true` for a switch without a value. */
const textOf = (value: string | true | undefined): string | undefined => (value === true ? 'true' : value)
