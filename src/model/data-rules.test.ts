import { expect, test } from 'vitest'
import { columnNameFault, engineFault, nameFault, typeFault } from './data-rules.ts'

test.each(['events', '_a', 'Events2', 'a'.repeat(128)])('%s is a valid name', name => {
  expect(nameFault(name)).toBeNull()
})

test.each([
  '',
  '2a',
  'a-b',
  'a b',
  'a.b',
  'a'.repeat(129),
  'é',
  'select',
  'FROM',
  'system',
  'live',
  'a_quarantine',
  'stg_1',
  'c__jobs_log',
  "a'b",
])('%j is not a valid name', name => {
  expect(nameFault(name)).not.toBeNull()
})

test.each([
  'String',
  'Nullable(Int64)',
  "DateTime64(3, 'UTC')",
  "Enum8('a' = 1, 'b)' = -2)",
  'AggregateFunction(quantile(0.5), Float64)',
  'Tuple(a Int32, b Array(String))',
  'Map(String, UInt8)',
  'Decimal(10, 2)',
  'Tuple(\n    a Int32,\n\tb Array(Tuple(\r\n c String)))',
])('%s is a valid type', type => {
  expect(typeFault(type)).toBeNull()
})

test.each([
  '',
  'String DEFAULT 1',
  "String ALIAS file('/etc/passwd')",
  'String, b Int32',
  'String) ENGINE = Null AS SELECT (1',
  'Nullable(String',
  'Nullable(String))',
  'String; DROP TABLE a',
  "Enum8('a",
  'String -- x',
  'String CODEC(ZSTD)',
  "Tuple(a Int32 --(\n) DEFAULT file('/etc/passwd'), b String)",
  'Tuple(a Int32 /*(*/), b String)',
  'Tuple(a Int32 #(\n), b String)',
])('%s is not a valid type', type => {
  expect(typeFault(type)).not.toBeNull()
})

test.each(['MergeTree', 'MergeTree()', 'ReplacingMergeTree(version)', 'VersionedCollapsingMergeTree(sign, version)'])(
  '%s is a valid engine',
  engine => {
    expect(engineFault(engine)).toBeNull()
  },
)

test.each([
  'Memory',
  'URL(x)',
  "ReplacingMergeTree('x')",
  'MergeTree ORDER BY a',
  'ReplicatedMergeTree',
  'MergeTree(file(x))',
])('%s is not a valid engine', engine => {
  expect(engineFault(engine)).not.toBeNull()
})

test('columns may have any printable name on one line, except those that every table has', () => {
  for (const name of ['id', 'with space', 'größe', 'a.b', "it's", '"quoted"']) expect(columnNameFault(name)).toBeNull()
  for (const name of ['', 'a\nb', 'a`b', 'a\\b', '_part', 'c__error', 'insertion_date', 'x'.repeat(257)])
    expect(columnNameFault(name)).not.toBeNull()
})

test('a column cannot be Nested, since it would become several columns', () => {
  expect(typeFault('Nested(a UInt8, b String)')).toMatch(/^must not be Nested: take Array/)
  expect(typeFault('Array(Tuple(a UInt8, b String))')).toBeNull()
})
