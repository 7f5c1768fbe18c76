import type { Command } from 'commander'
import { closeNames } from '../kernel/close-names.ts'
import type { Define } from './define.ts'

/** A command with subcommands, among them `list`, which is the default. */
export const commandGroup =
  (commands: Readonly<Record<string, Define>>): Define =>
  (command, context, finish) => {
    command.addHelpText('after', '\nWithout a command: list.')
    for (const [name, define] of Object.entries(commands)) {
      const isDefault = name === 'list'
      const one = command.command(name, { isDefault })
      define(one, context, finish)
      if (isDefault) refuseWords(one, Object.keys(commands))
    }
  }

/** An unknown subcommand reaches the default one as an argument. The usual error about excess arguments would not help after a typo or a missing `show`. */
const refuseWords = (list: Command, names: readonly string[]): void => {
  list.allowExcessArguments().hook('preAction', () => {
    const [word] = list.args
    if (word === undefined) return
    const group = list.parent!
    const [meant] = closeNames(word, names)
    const show = names.includes('show') ? `\n(To show one: ${group.parent!.name()} ${group.name()} show ${word})` : ''
    const hint = meant === undefined ? show : `\n(Did you mean ${meant}?)`
    group.error(`error: unknown command '${word}'${hint}`, { code: 'commander.unknownCommand' })
  })
}
