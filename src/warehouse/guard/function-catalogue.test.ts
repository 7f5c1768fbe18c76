import { expect, test } from 'vitest'
import { allowFunctions, type EngineFunction } from './function-catalogue.ts'

const entry = (name: string, rest: Partial<EngineFunction> = {}): EngineFunction => ({
  name,
  alias_to: '',
  is_aggregate: 0,
  case_insensitive: 0,
  origin: 'System',
  categories: 'String',
  ...rest,
})

const rules = allowFunctions([
  entry('upper'),
  entry('UCASE', { alias_to: 'upper', case_insensitive: 1, categories: '' }),
  entry('file', { categories: 'Other' }),
  entry('readFile', { alias_to: 'file', case_insensitive: 1, categories: '' }),
  entry('toTypeName', { categories: 'Other' }),
  entry('dictGet', { categories: 'Dictionary' }),
  entry('newThing', { categories: 'Quantum' }),
  entry('both', { categories: 'String,Introspection' }),
  entry('orphan', { alias_to: 'gone', categories: '' }),
  entry('mine', { origin: 'SQLUserDefined' }),
  entry('groupFormat', { is_aggregate: 1, categories: 'Aggregate Functions' }),
  entry('sum', { is_aggregate: 1, categories: 'Aggregate Functions', case_insensitive: 1 }),
])

test.each(['upper', 'UCASE', 'ucase', 'toTypeName', 'sum', 'SUM', 'sumIf', 'sumArrayIf', 'sumMergeState', 'lambda'])(
  '%s may be called',
  name => {
    expect(rules.mayCall(name)).toBe(true)
    expect(rules.isRefused(name)).toBe(false)
  },
)

const REFUSED = ['file', 'readFile', 'READFILE', 'dictGet', 'newThing', 'both', 'orphan', 'mine', 'groupFormat']

test.each(REFUSED)('%s is refused', name => {
  expect(rules.mayCall(name)).toBe(false)
  expect(rules.isRefused(name)).toBe(true)
})

test('similar names are suggested, of functions that may be called', () => {
  expect(rules.like('uper')).toContain('upper')
  expect(rules.like('files')).toEqual([])
})

test.each(['Upper', 'fileIf', 'groupFormatIf', 'unknown', 'If', ''])(
  '%s is not a known function, and is refused',
  name => {
    expect(rules.mayCall(name)).toBe(false)
  },
)
