import { test } from 'vitest'
import { type ExactCase, useExactImports } from './exact-imports.ts'

const { check } = useExactImports()

const NESTED: readonly ExactCase[] = [
  {
    type: 'Array(UInt8)',
    good: { '[]': '[]', '[0, 255]': '[0,255]', '["7",8.0]': '[7,8]' },
    bad: [
      '["x"]',
      '[-1]',
      '[256]',
      '[1.5]',
      '[null]',
      '[1,"x",2]',
      '{"a":1}',
      '5',
      '"x"',
      '[[1]]',
      '[1e0]',
      '[true]',
      '[""]',
    ],
  },
  { type: 'Array(Float64)', good: { '[1, 2.5]': '[1,2.5]' }, bad: ['["x"]', '[true]', '[1e400]', '[{}]'] },
  { type: 'Array(Bool)', good: { '[true,false]': '[true,false]', '["true"]': '[true]' }, bad: ['["maybe"]', '[2]'] },
  {
    type: 'Array(Int64)',
    good: {
      '[9223372036854775807]': '["9223372036854775807"]',
      '[1.0]': '["1"]',
      '[9007199254740993.0]': '["9007199254740993"]',
    },
    bad: ['[1.5]', '[9223372036854775808]', '[92233720368547758080]', '["1x"]'],
  },
  { type: 'Array(Time)', good: { '["10:20:30"]': '["10:20:30"]' }, bad: ['["10:20"]', '[10]', '[null]'] },
  {
    type: 'Array(Int128)',
    good: { '[170141183460469231731687303715884105727]': '["170141183460469231731687303715884105727"]' },
    bad: ['[170141183460469231731687303715884105728]'],
  },
  {
    type: 'Array(Decimal(38, 20))',
    good: { '[123456789012345678.12345678901234567890]': '[123456789012345680]' },
    bad: ['[1.123456789012345678901]', '[1234567890123456789]', '["-"]'],
  },
  {
    type: 'Array(Date)',
    good: { '["2024-02-29"]': '["2024-02-29"]' },
    bad: ['["2024-02-30"]', '["2024-13-01"]', '["0000-00-00"]', '["x"]', '[20240230]', '["1969-12-31"]'],
  },
  {
    type: 'Array(DateTime)',
    good: {
      '["2024-01-01 10:00:00","2024-01-01T10:00:00Z",1704103200]':
        '["2024-01-01 10:00:00","2024-01-01 10:00:00","2024-01-01 10:00:00"]',
    },
    bad: ['["10:00:00"]', '["2024-01-01 10:61:00"]', '["1969-12-31 23:59:59"]'],
  },
  { type: "Array(Enum8('a' = 1, 'b' = 2))", good: { '["a","b"]': '["a","b"]' }, bad: ['["c"]', '[1]'] },
  { type: 'Array(UUID)', good: {}, bad: ['["x"]', '[1]'] },
  {
    type: 'Array(String)',
    good: {
      '["http://a/b", "\\u00e9\\n\\"", 1.10, 123456789012345678901234567890, true, {"a": 1.50, "b":"x/y"}, [1,2]]':
        '["http://a/b","é\\n\\"","1.10","123456789012345678901234567890","true","{\\"a\\":1.50,\\"b\\":\\"x/y\\"}","[1,2]"]',
      '["a 2 \\" 3", "-1", "[1]", "\\\\"]': '["a 2 \\" 3","-1","[1]","\\\\"]',
    },
    bad: ['[null]', '"x"', '{}', '["\\ud800"]', '["\ufdd01"]'],
  },
  { type: 'Array(Nullable(String))', good: { '["a/b",null]': '["a/b",null]', '[]': '[]' }, bad: ['"a/b"'] },
  { type: 'Array(Nullable(Int8))', good: { '[1,null,2]': '[1,null,2]' }, bad: ['[1,null,"x"]', '[300]'] },
  { type: 'Array(LowCardinality(String))', good: { '["a/b", "c"]': '["a/b","c"]' }, bad: ['[null]'] },
  { type: 'Array(LowCardinality(Nullable(String)))', good: { '["a/b", null]': '["a/b",null]' }, bad: ['{}'] },
  {
    type: 'Array(Array(String))',
    good: { '[["a/b"], [ ], ["c"]]': '[["a/b"],[],["c"]]' },
    bad: ['[["a"],"b"]', '[["a"],null]', '[["a"],[null]]', '["[1]"]'],
  },
  {
    type: 'Array(Array(UInt8))',
    good: { '[[1],[2, 3.0]]': '[[1],[2,3]]' },
    bad: ['[["x"]]', '[[1],[-1]]', '[[1],2]', '[[[1]]]'],
  },
  { type: 'Array(Array(Array(Int8)))', good: { '[[[1],[]],[]]': '[[[1],[]],[]]' }, bad: ['[[[1],[128]]]', '[[1]]'] },
  {
    type: 'Map(String, Array(String))',
    good: { '{"k/1":["a/b"],"l":[]}': '{"k/1":["a/b"],"l":[]}' },
    bad: ['{"k":"a"}', '{"k":[null]}', '{"k":null}', '[]'],
  },
  {
    type: 'Map(Int32, String)',
    good: { '{"1":"a/b","-2":"c"}': '{"1":"a/b","-2":"c"}', '{}': '{}' },
    bad: ['{"x":"a"}', '{"2147483648":"a"}', '{"":"a"}', '[]'],
  },
  {
    type: 'Map(String, UInt8)',
    good: { '{"a":1.0,"b":2}': '{"a":1,"b":2}' },
    bad: ['{"a":"x"}', '{"a":256}', '{"a":null}'],
  },
  { type: 'Map(String, Nullable(UInt8))', good: { '{"a":null,"b":2}': '{"a":null,"b":2}' }, bad: ['{"a":"x"}'] },
  {
    type: 'Map(LowCardinality(String), Map(String, Date))',
    good: { '{"a":{"b":"2024-02-29"}}': '{"a":{"b":"2024-02-29"}}' },
    bad: ['{"a":{"b":"2024-02-30"}}', '{"a":1}'],
  },
  {
    type: 'Tuple(x Int64, y String)',
    good: {
      '{"x":1,"y":"http://a/b"}': '{"x":"1","y":"http://a/b"}',
      '{"y":"b", "x":2}': '{"x":"2","y":"b"}',
      '{"x":3.0,"y":{"a/b":1.0}}': '{"x":"3","y":"{\\"a/b\\":1.0}"}',
    },
    bad: [
      '{"x":1}',
      '{"x":1.5,"y":"a"}',
      '{"x":1,"y":null}',
      '{"x":1,"y":"a","z":2}',
      '{"x":1,"x":2,"y":"a"}',
      '[1,"a"]',
      '{"x":"x","y":"a"}',
    ],
  },
  {
    type: 'Tuple(x Nullable(Int8), `a b` Tuple(c Date, d Array(UInt8)))',
    good: {
      '{"a b":{"d":[1],"c":"2024-02-29"},"x":1}': '{"x":1,"a b":{"c":"2024-02-29","d":[1]}}',
      '{"a b":{"d":[],"c":"2024-02-29"}}': '{"x":null,"a b":{"c":"2024-02-29","d":[]}}',
    },
    bad: [
      '{"x":1}',
      '{"a b":{"d":[256],"c":"2024-02-29"}}',
      '{"a b":{"d":[1],"c":"2024-02-30"}}',
      '{"a b":{"c":"2024-02-29"}}',
      '{"x":300,"a b":{"d":[1],"c":"2024-02-29"}}',
    ],
  },
  {
    type: 'Tuple(Int8, String)',
    good: { '[1, "a/b"]': '[1,"a/b"]' },
    bad: ['[1]', '[1,"a",2]', '["x","a"]', '{"1":1}'],
  },
  {
    type: 'Array(Tuple(a UInt8, b Nullable(String)))',
    good: { '[{"b":"x/y","a":1},{"a":2}]': '[{"a":1,"b":"x/y"},{"a":2,"b":null}]', '[]': '[]' },
    bad: ['[{"a":256,"b":"x"}]', '[{"b":"x"}]', '[null]', '[{"a":1},{"a":"x"}]'],
  },
  { type: 'Point', good: { '[1, 2.5]': '[1,2.5]' }, bad: ['[1]', '["x",1]', '"x"', '[1,2,3]', '{}'] },
  { type: 'Ring', good: { '[[1,2],[3,4]]': '[[1,2],[3,4]]' }, bad: ['[[1,2],[3]]', '"x"', '[1,2]'] },
  { type: 'MultiPolygon', good: { '[[[[1,2],[3,4]]]]': '[[[[1,2],[3,4]]]]' }, bad: ['[[[1,2]]]'] },
]

test.each(NESTED)('$type in NDJSON accepts exactly its values', async kind => {
  await check('ndjson', kind)
})

test.each(NESTED)('$type in CSV accepts exactly its values', async kind => {
  await check('csv', kind)
})

test.each<ExactCase>([
  { type: 'Point', good: { '(1,2.5)': '[1,2.5]' }, bad: ['x', '', '(1)', '(1,2', '(1,x)'] },
  { type: 'Ring', good: { '[(1,2),(3,4)]': '[[1,2],[3,4]]' }, bad: ['x', '', '(1,2)'] },
  { type: 'Polygon', good: { '[[(1,2),(3,4)]]': '[[[1,2],[3,4]]]' }, bad: ['x', '[(1,2)]'] },
  { type: 'LineString', good: { '[(1,2)]': '[[1,2]]' }, bad: ['x'] },
  { type: 'MultiLineString', good: { '[[(1,2)]]': '[[[1,2]]]' }, bad: ['x'] },
  {
    type: 'Array(String)',
    good: { "['a','b']": '["a","b"]', "['it\\'s','say \"x\"','\\\\']": '["it\'s","say \\"x\\"","\\\\"]' },
    bad: ["['a'", '[\'a\',"b"]', 'a', ''],
  },
  { type: 'Array(Array(String))', good: { "[['a'],['b']]": '[["a"],["b"]]' }, bad: ["['a']"] },
  { type: 'Map(String, Int8)', good: {}, bad: ['{1:2}', "{'a':1}", ''] },
  {
    type: 'Array(Int8)',
    good: { ' [1, 2] ': '[1,2]' },
    bad: ['[1 2]', '[01]', '[1.]', '[.5]', '[+1]', '[1,]', '[1] 2', '[1-2]', '1', '["1', '["1, 2]'],
  },
])('$type in CSV accepts what ClickHouse writes', async kind => {
  await check('csv', kind)
})
