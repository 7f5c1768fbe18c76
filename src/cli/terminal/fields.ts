import type { CliContext } from '../context.ts'
import { paint } from './colour.ts'

/** One line of what is told of a single thing; empty values are left out. `style` decorates the value. */
export type Field = {
  readonly name: string
  readonly value: string | number | null | undefined
  readonly style?: Parameters<typeof paint>[1]
}

/** Name and value a line, the values below each other. */
export const fieldsText = ({ stdout }: CliContext, fields: readonly Field[]): string => {
  const shown = fields.filter(({ value }) => value !== null && value !== undefined && value !== '')
  const width = Math.max(...shown.map(({ name }) => name.length))
  const line = ({ name, value, style }: Field): string => {
    const text = style === undefined ? String(value) : paint(stdout, style, String(value))
    return `${paint(stdout, 'dim', name.padEnd(width))}  ${text}\n`
  }
  return shown.map(line).join('')
}
