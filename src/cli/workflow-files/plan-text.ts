import { paint } from '../terminal/colour.ts'
import { oneLine } from '../terminal/plain-text.ts'
import type { FieldChange } from './compare.ts'
import type { PlanStep } from './plan.ts'

const SHOWN_CHANGES = 40
const LONGEST_VALUE = 120

const SIGN = { create: '+', change: '~', prune: '-', keep: '=' } as const
const STYLE = { create: 'green', change: 'yellow', prune: 'red', keep: 'dim' } as const

/** A plan for people: one line per workflow, the changed fields below it, and totals at the end. */
export const planText = (steps: readonly PlanStep[], stream: NodeJS.WriteStream): string =>
  [...steps.map(step => stepText(step, stream)), `${sumText(steps)}\n`].join('')

const stepText = (step: PlanStep, stream: NodeJS.WriteStream): string => {
  const head = paint(stream, STYLE[step.action], `${SIGN[step.action]} ${oneLine(step.name)}`)
  return `${head}  ${paint(stream, 'dim', about(step))}\n${step.action === 'change' ? changesText(step.changes, stream) : ''}`
}

const about = (step: PlanStep): string => {
  if (step.action === 'create') return `new: ${step.file.file}:${step.file.line}`
  if (step.action === 'keep') return 'unchanged'
  if (step.action === 'prune') return 'to be deleted: in no file any more'
  return `changed: ${step.file.file}:${step.file.line}`
}

const changesText = (changes: readonly FieldChange[], stream: NodeJS.WriteStream): string => {
  if (changes.length === 0) return '    secret values, which are not shown\n'
  const more = changes.length - SHOWN_CHANGES
  const lines = changes.slice(0, SHOWN_CHANGES).map(change => changeText(change, stream))
  return [...lines, ...(more > 0 ? [`    and ${more} more\n`] : [])].join('')
}

const changeText = ({ field, before, after }: FieldChange, stream: NodeJS.WriteStream): string => {
  const from = before === null ? [] : [paint(stream, 'red', shortened(before))]
  const to = after === null ? ['(gone)'] : [paint(stream, 'green', shortened(after))]
  return `    ${oneLine(field)}: ${[...from, ...to].join(' → ')}\n`
}

const shortened = (value: string): string => {
  const text = oneLine(value)
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE - 1)}…`
}

const sumText = (steps: readonly PlanStep[]): string => {
  const count = (action: PlanStep['action']): number => steps.filter(step => step.action === action).length
  return `${count('create')} new, ${count('change')} changed, ${count('keep')} unchanged, ${count('prune')} to be deleted`
}

/** The same for programs. */
export const planJson = (steps: readonly PlanStep[]): unknown => ({
  workflows: steps.map(step => ({
    name: step.name,
    action: step.action,
    file: step.action === 'prune' ? null : step.file.file,
    changes: step.action === 'change' ? step.changes : [],
  })),
})
