import { expect, test } from 'vitest'
import { portableType } from './portable-type.ts'

const ARROW: Readonly<Record<string, string>> = {
  Int64: 'Int64',
  String: 'String',
  'FixedString(3)': 'FixedString(3)',
  "DateTime64(3, 'Europe/Berlin')": "DateTime64(3, 'Europe/Berlin')",
  'LowCardinality(String)': 'LowCardinality(String)',
  'Decimal(38, 2)': 'Decimal(38, 2)',
  'Tuple()': 'Tuple()',
  'AggregateFunction(sum, UInt8)': 'AggregateFunction(sum, UInt8)',
  DateTime: 'DateTime64(0)',
  "DateTime('Europe/Berlin')": "DateTime64(0, 'Europe/Berlin')",
  'Nullable(UUID)': 'Nullable(String)',
  'LowCardinality(Nullable(DateTime))': 'Nullable(DateTime64(0))',
  'Decimal(76, 2)': 'String',
  'Map(UUID, Array(IPv6))': 'Map(String, Array(String))',
  "Array(Enum8('a, DateTime' = 1, 'it\\'s (' = 2))": 'Array(String)',
  'Tuple(DateTime UUID, `a, b` DateTime, c Tuple(Int128, String))':
    'Tuple(DateTime String, `a, b` DateTime64(0), c Tuple(String, String))',
  'SimpleAggregateFunction(max, DateTime)': 'DateTime64(0)',
  'SimpleAggregateFunction(sum, Int64)': 'SimpleAggregateFunction(sum, Int64)',
  'JSON(max_dynamic_paths=8, a.b Int64)': 'String',
  'Variant(Int64, String)': 'Nullable(String)',
  'Map(String, Array(Dynamic))': 'Map(String, Array(Nullable(String)))',
  'Array(Nullable(IntervalNanosecond))': 'Array(Nullable(Int64))',
  'Tuple(a Time64(3), b Time)': 'Tuple(a String, b String)',
  'Array(Geometry)': 'Array(Nullable(String))',
  'QBit(BFloat16, 8)': 'Array(Float32)',
  'Nullable(Nothing)': 'Nullable(Nothing)',
}

test.each(Object.entries(ARROW))('in Arrow %s is written as %s', (type, expected) => {
  expect(portableType(type, 'arrow')).toBe(expected)
})

test('in Parquet times are kept, and types without an equivalent become text', () => {
  expect(portableType("Array(DateTime('UTC'))", 'parquet')).toBe("Array(DateTime('UTC'))")
  expect(portableType('Nullable(Nothing)', 'parquet')).toBe('Nullable(String)')
  expect(portableType('Array(Nullable(IntervalDay))', 'parquet')).toBe('Array(Nullable(Int64))')
  expect(portableType('Tuple(a Time64(3), b UUID)', 'parquet')).toBe('Tuple(a String, b String)')
})
