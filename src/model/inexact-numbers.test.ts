import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findInexactNumbers } from './inexact-numbers.ts'

const pathsOf = (text: string) => findInexactNumbers(text).map(({ path }) => path)

test('integers that a double does not hold are told with their places', () => {
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

test('its place is told whatever texts, lists and objects stand before it', () => {
  const text = String.raw`{"x": ["y", {"z": []}, 1], "q\"\u0061,": {"k": "v", "n":\t12345678901234567890 }, "l": [[], {}, "m", [1E+999]]}`
  expect(pathsOf(text.replaceAll('\\t', '\t'))).toEqual(['q"a,.n', 'l.3.0'])
})

test('those that it holds are none, however large, nor what stands in a text, nor digits after a point', () => {
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

test('of many few are told, and of long ones little', () => {
  const errors = findInexactNumbers(JSON.stringify([0]).replace('0', Array(1000).fill('9'.repeat(10_001)).join()))
  expect(errors).toHaveLength(20)
  expect(errors[0]!.message.length).toBeLessThan(200)
})

test('what JSON.stringify has written of numbers always comes back', () => {
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

test('an integer is told just when it does not come back', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), integer => {
      const comesBack = String(Number(integer)) === String(integer) || BigInt(Number(integer)) === integer
      expect(pathsOf(`[[${integer}]]`)).toEqual(comesBack ? [] : ['0.0'])
    }),
  )
})
