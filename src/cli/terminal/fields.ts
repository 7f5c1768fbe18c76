import type { CliContext } from '../context.ts'
import { paint } from './colour.ts'
import { plainLines } from './plain-text.ts'

/** One line of what is told of a single thing; empty values are left out. `style` decorates the value. */
export type Field = {
  readonly name: string
  readonly value: string | number | null | undefined
  readonly style?: Parameters<typeof paint>[1]
}

/** Name and value a line, the values below each other; further lines of a value, too, so that none looks like a field. */
export const fieldsText = ({ stdout }: CliContext, fields: readonly Field[]): string => {
  const shown = fields.filter(({ value }) => value !== null && value !== undefined && value !== '')
  const width = Math.max(...shown.map(({ name }) => name.length))
  const line = ({ name, value, style }: Field): string => {
    const plain = plainLines(String(value)).replaceAll('\n', `\n${' '.repeat(width + 2)}`)
    const text = style === undefined ? plain : paint(stdout, style, plain)
    return `${paint(stdout, 'dim', name.padEnd(width))}  ${text}\n`
  }
  return shown.map(line).join('')
}
