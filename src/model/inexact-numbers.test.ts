import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findInexactNumbers } from './inexact-numbers.ts'

const pathsOf = (text: string) => findInexactNumbers(text).map(({ path }) => path)

test('integers that a double cannot hold are reported with their paths', () => {
  const text = '{"jobs": [{"parameters": {"id": 12345678901234567890}}, {"a.b": [1, -9007199254740993]}], "max": 1e400}'
  expect(findInexactNumbers(text)).toEqual([
    {
      path: 'jobs.0.parameters.id',
      message: expect.stringContaining('12345678901234567890 is none: send it as a text'),
    },
    { path: 'jobs.1.a.b.1', message: expect.stringContaining('-9007199254740993') },
    { path: 'max', message: expect.stringContaining('1e400') },
  ])
})

test('the path is right whatever strings, lists and objects come before', () => {
  const text = String.raw`{"x": ["y", {"z": []}, 1], "q\"\u0061,": {"k": "v", "n":\t12345678901234567890 }, "l": [[], {}, "m", [1E+999]]}`
  expect(pathsOf(text.replaceAll('\\t', '\t'))).toEqual(['q"a,.n', 'l.3.0'])
})

test('exact integers of any size, strings and fractions are not reported', () => {
  for (const value of [
    '9007199254740992',
    '10000000000000000000000',
    '-9007199254740994',
    '1e22',
    '1e-400',
    '0.12345678901234567890',
    '1234567890123456.5',
    '"12345678901234567890"',
    '"[12345678901234567890, 1e400]"',
  ])
    expect(pathsOf(`{"a": [${value}]}`)).toEqual([])
})

test('many inexact numbers are reported in part, and long ones in short', () => {
  const errors = findInexactNumbers(JSON.stringify([0]).replace('0', Array(1000).fill('9'.repeat(10_001)).join()))
  expect(errors).toHaveLength(20)
  expect(errors[0]!.message.length).toBeLessThan(200)
})

test('numbers written by JSON.stringify are never reported', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.jsonValue(),
        fc.double({ noDefaultInfinity: true, noNaN: true }),
        fc.maxSafeNat().map(n => n * 1000),
      ),
      value => {
        expect(pathsOf(JSON.stringify([value]))).toEqual([])
      },
    ),
  )
})

test('an integer is reported exactly if it does not round-trip', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), integer => {
      const comesBack = String(Number(integer)) === String(integer) || BigInt(Number(integer)) === integer
      expect(pathsOf(`[[${integer}]]`)).toEqual(comesBack ? [] : ['0.0'])
    }),
  )
})
