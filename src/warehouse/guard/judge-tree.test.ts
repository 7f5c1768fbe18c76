import { expect, test } from 'vitest'
import { judgeExpression, judgeSelect } from './judge-tree.ts'
import type { SyntaxNode } from './syntax-tree.ts'

const node = (kind: string, text = '', ...children: readonly SyntaxNode[]): SyntaxNode => ({
  kind,
  text,
  alias: null,
  children,
})
const call = (name: string, ...values: readonly SyntaxNode[]) =>
  node('Function', name, node('ExpressionList', '', ...values))
const name = (text: string) => node('Identifier', text)
const select = (...parts: readonly SyntaxNode[]) =>
  node('SelectWithUnionQuery', '', node('ExpressionList', '', node('SelectQuery', '', ...parts)))
const from = (source: SyntaxNode) =>
  select(
    node('ExpressionList', '', node('Asterisk')),
    node('TablesInSelectQuery', '', node('TablesInSelectQueryElement', '', node('TableExpression', '', source))),
  )
const expression = (value: SyntaxNode) => select(node('ExpressionList', '', value))

const rules = {
  database: 'live',
  functions: {
    mayCall: (text: string) => ['plus', 'in', 'notIn', 'arrayMap', 'lower'].includes(text),
    isRefused: (text: string) => text === 'file',
    like: (text: string) => (text === 'lwoer' ? ['lower'] : []),
    isAggregate: () => false,
  },
}

test.each([
  ['a table of the workspace', from(node('TableIdentifier', 'events'))],
  ['a table of its database', from(node('TableIdentifier', 'live.events'))],
  ['a table function that makes rows', from(call('numbers', node('Literal', 'UInt64_1')))],
  ['a column named like a refused function', expression(call('lower', name('file')))],
  ['a set that is a table', expression(call('in', name('a'), name('events')))],
  ['a column of a table', expression(name('events.a'))],
])('%s is allowed', (_, tree) => {
  expect(judgeSelect(tree, rules)).toBeNull()
})

test.each([
  ['a table of another database', from(node('TableIdentifier', 'system.one'))],
  ['a table whose name holds a dot', from(node('TableIdentifier', 'live.a.b'))],
  ['a table function that reads', from(call('url', node('Literal', "'http://a'")))],
  ['a table function named like an ordinary function', from(call('lower', node('Literal', "'a'")))],
  ['a function that is not allowed', expression(call('file', node('Literal', "'a'")))],
  ['a function deep inside', expression(call('plus', call('plus', call('file'))))],
  ['a refused function passed by name', expression(call('arrayMap', name('file'), name('a')))],
  ['a set of another database', expression(call('notIn', name('a'), name('other.t')))],
  ['a name in the database system', expression(name('system.one'))],
  ['settings', select(node('ExpressionList', '', node('Asterisk')), node('Set'))],
  ['a transformer whose function cannot be seen', expression(node('Asterisk', '', node('ColumnsApplyTransformer')))],
  ['an unknown kind of node', expression(node('NewThing'))],
  ['a clause after the query', node('SelectWithUnionQuery', '', node('ExpressionList'), node('Identifier', 'CSV'))],
  ['another statement', node('InsertQuery')],
])('%s is refused, with a sentence', (_, tree) => {
  expect(judgeSelect(tree, rules)).toMatch(/^[A-Z].*[.)]$/)
})

test('a misspelt function is reported as unknown, not as forbidden', () => {
  expect(judgeSelect(expression(call('lwoer', name('a'))), rules)).toBe(
    'There is no function lwoer. Maybe you meant lower?',
  )
  expect(judgeSelect(expression(call('nothing', name('a'))), rules)).toBe('There is no function nothing.')
  expect(judgeSelect(expression(call('file', name('a'))), rules)).toBe('The function file is not allowed in a query.')
})

test('an expression must be a single one, without a query around or in it', () => {
  expect(judgeExpression(expression(call('plus', name('a'), name('b'))), rules)).toBeNull()
  expect(judgeExpression(select(node('ExpressionList', '', name('a'), name('b'))), rules)).not.toBeNull()
  expect(judgeExpression(from(node('TableIdentifier', 'events')), rules)).not.toBeNull()
  expect(judgeExpression(expression(call('in', name('a'), node('Subquery', '', select()))), rules)).not.toBeNull()
  expect(judgeExpression(expression(call('file')), rules)).not.toBeNull()
})

test('a lambda is followed through all of its aliases, however many and in any order', () => {
  const count = 20_000
  const alias = (of: string, is: string): SyntaxNode => ({ ...name(of), alias: is })
  const chain = (last: string) => [
    ...Array.from({ length: count }, (_, at) => alias(`f${count - at}`, at === 0 ? last : `f${count - at + 1}`)),
    ...Array.from({ length: count }, (_, at) => alias('f0', `g${at}`)),
    alias('f0', 'f1'),
    { ...call('lambda'), alias: 'f0' },
  ]
  const judge = (last: string) =>
    judgeSelect(select(node('ExpressionList', '', ...chain(last))), {
      ...rules,
      functions: { ...rules.functions, mayCall: text => text === 'lambda' || text === 'lower' },
    })
  expect(judge('lower')).toBe('There is a function lower: rename the lambda.')
  expect(judge('other')).toBeNull()
})
