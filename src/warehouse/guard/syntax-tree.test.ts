import { expect, test } from 'vitest'
import { growthOf } from '../../../test/growth.ts'
import { readSyntaxTree } from './syntax-tree.ts'

const read = (text: string) => readSyntaxTree(text.split('\n'))

test('lines become nodes with kind, text without alias, and children', () => {
  expect(
    read('ExpressionList (children 2)\n Function plus (alias a) (children 1)\n  Literal UInt64_1\n Asterisk'),
  ).toMatchObject({
    kind: 'ExpressionList',
    children: [
      { kind: 'Function', text: 'plus', children: [{ kind: 'Literal', text: 'UInt64_1', children: [] }] },
      { kind: 'Asterisk', text: '', children: [] },
    ],
  })
})

test.each([
  ['a node more than was announced', 'A (children 1)\n B\n C'],
  ['a node less than was announced', 'A (children 2)\n B'],
  ['a node without a parent', 'A (children 1)\n   B'],
  ['a second root', 'A\nB'],
  ['a line that is not a node', 'A (children 1)\n 1'],
  ['an empty line', 'A\n'],
  ['nothing', ''],
])('%s is not a tree', (_, text) => {
  expect(read(text)).toBeNull()
})

test('a line break in a name makes the tree invalid or adds a node, but never removes one', () => {
  expect(read('A (children 1)\n Function file (alias x\n y) (children 1)\n  Literal 1')).toBeNull()
})

test('U+2028 does not end a line, in texts and names', () => {
  expect(read("A (children 1)\n Literal 'a\u2028b' (alias c\u2029)")).toMatchObject({
    children: [{ kind: 'Literal', text: "'a\u2028b' (alias c\u2029)", alias: 'c\u2029' }],
  })
  expect(read('A\rB')).toBeNull()
})

test.each(['(alias ', '(alias x) ', '(children 1) ', '(children 1', ' '])(
  'a text of only %j is parsed once',
  async text => {
    const make = (size: number) => text.repeat(size / text.length)
    for (const line of [
      (long: string) => `Literal '${long}'`,
      (long: string) => `Literal '${long}' (alias x)`,
      (long: string) => `Identifier ${long}x`,
    ])
      expect(await growthOf({ size: 20_000, make, work: long => read(line(long)) })).toBeLessThan(3)
  },
)
