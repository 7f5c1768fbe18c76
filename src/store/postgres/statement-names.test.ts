import { expect, test } from 'vitest'
import { StatementNames } from './statement-names.ts'

test('an SQL text keeps its name, other texts get other names, and a named statement keeps its own', () => {
  const names = new StatementNames(2)
  const first = names.named({ name: '', text: 'SELECT 1' })
  const second = names.named({ name: '', text: 'SELECT 2' })
  expect(first.name).not.toBe('')
  expect(second.name).not.toBe(first.name)
  expect(names.named({ name: '', text: 'SELECT 1' })).toEqual(first)
  expect(names.named({ name: 'count', text: 'SELECT 3' })).toEqual({ name: 'count', text: 'SELECT 3' })
})

test('texts beyond the limit get no name', () => {
  const names = new StatementNames(1)
  const first = names.named({ name: '', text: 'SELECT 1' })
  expect(names.named({ name: '', text: 'SELECT 2' }).name).toBe('')
  expect(names.named({ name: '', text: 'SELECT 1' })).toEqual(first)
})
