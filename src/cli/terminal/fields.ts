import type { CliContext } from '../context.ts'
import { paint } from './colour.ts'
import { plainLines } from './plain-text.ts'

/** A line in the description of an object; empty values are skipped. `style` decorates the value. */
export type Field = {
  readonly name: string
  readonly value: string | number | null | undefined
  readonly style?: Parameters<typeof paint>[1]
}

/** One line per field, with aligned values. Continuation lines of a value are indented, so that they do not look like fields. */
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
