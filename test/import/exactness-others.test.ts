import { test } from 'vitest'
import { type ExactCase, same, useExactImports } from './exact-imports.ts'

const { check } = useExactImports()

test.each<ExactCase>([
  { type: 'Nullable(FixedString(3))', good: { abc: 'abc', '': null, '\\N': null }, bad: ['abcd', 'éé'] },
  { type: 'LowCardinality(Nullable(FixedString(3)))', good: { abc: 'abc', '': null, '\\N': null }, bad: ['abcd'] },
  { type: "Nullable(Enum8('a' = 1, '' = 2))", good: { a: 'a', '': null, '\\N': null }, bad: ['b', '1'] },
  { type: "Enum8('a' = 1, '' = 2)", good: same('a', ''), bad: ['b', '1', '\\N'] },
  { type: 'BFloat16', good: { '1.5': '1.5', inf: null }, bad: ['1e39', '-1e39', '1e400', 'x', ''] },
  { type: 'IntervalDay', good: { '1': '1', '-3': '-3', '1.0': '1' }, bad: ['x', '', '9223372036854775808'] },
  { type: 'Nullable(IntervalDay)', good: { '1': '1', '': null }, bad: ['x'] },
  ...['UInt8', 'UInt64', 'UInt128', 'UInt256'].map(type => ({
    type,
    good: { '-0': '0', '-0.0': '0', '-00': '0', '+0': '0', '5.0': '5' },
    bad: ['-5', '-0.5', '--0', '-', '-01'],
  })),
  {
    type: 'IPv6',
    good: {
      ...same('::', '::1', '2001:db8::1', '1:2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8', '::ffff:1.2.3.4'),
      '1:2:3:4:5:6:7::': '1:2:3:4:5:6:7:0',
      '::2:3:4:5:6:7:9': '0:2:3:4:5:6:7:9',
      '1:2:3:4:5:6:1.2.3.4': '1:2:3:4:5:6:102:304',
      '1:2:3:4:5::1.2.3.4': '1:2:3:4:5:0:102:304',
      '2001:DB8::2': '2001:db8::2',
      '1.2.3.5': '::ffff:1.2.3.5',
    },
    bad: ['2001:db8:::1', '1:::1.2.3.4', '1:2:3::5:6:7:8:9', '1:2:3::4:5:6:1.2.3.4', '1::2::3', '12345::', 'x', ''],
  },
  { type: 'Nullable(IPv6)', good: { '::1': '::1', '': null }, bad: ['2001:db8:::1'] },
  {
    type: 'Geometry',
    good: {
      '(1,2)': '[1,2]',
      '[(1,2),(3,4.5)]': '[[1,2],[3,4.5]]',
      '[[(0,0),(1,-1),(1e1,0)]]': '[[[0,0],[1,-1],[10,0]]]',
    },
    bad: ['(null,1)', '[(1,2),null]', '[null]', '(1e400,2)', '(nan,1)', '(1)', '(1,2,3)', 'x', ''],
  },
])('$type accepts exactly its values', async kind => {
  await check('csv', kind)
})

test('an empty text in NDJSON is a value of types that have one', async () => {
  await check('ndjson', {
    type: 'Nullable(FixedString(2))',
    good: { '"ab"': 'ab', '""': '\0\0', null: null },
    bad: ['"abc"'],
  })
  await check('ndjson', {
    type: "Nullable(Enum8('a' = 1, '' = 2))",
    good: { '"a"': 'a', '""': '', null: null },
    bad: ['"b"'],
  })
})
