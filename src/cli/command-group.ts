import type { Command } from 'commander'
import { closeNames } from '../kernel/close-names.ts'
import type { Define } from './define.ts'

/** A command that is a group of others, of which `list` is meant when none is named. */
export const commandGroup =
  (commands: Readonly<Record<string, Define>>): Define =>
  (command, context, finish) => {
    for (const [name, define] of Object.entries(commands)) {
      const isDefault = name === 'list'
      const one = command.command(name, { isDefault })
      define(one, context, finish)
      if (isDefault) refuseWords(one, Object.keys(commands))
    }
  }

/**
 * A word that is no command of the group reaches the default one as an argument. There it would be one too many, which
 * says nothing to who has mistyped a command, or has left out `show`.
 */
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
