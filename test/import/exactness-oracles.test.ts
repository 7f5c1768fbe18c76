import fc from 'fast-check'
import { expect, test } from 'vitest'
import { useExactImports } from './exact-imports.ts'

const { imported } = useExactImports()

/** The value of a decimal text, times ten to the power of the scale; null: it does not fit. */
const decimal = (text: string, precision: number, scale: number): bigint | null => {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^([+-]?)([0-9]*)[.]?([0-9]*)(?:e([+-]?[0-9]+))?$/i.exec(text) ?? []
  if (sign === undefined || whole + fraction === '') return null
  const power = Number(exponent) - fraction.length + scale
  const digits = BigInt(whole + fraction)
  const divisor = 10n ** BigInt(Math.max(0, -power))
  if (digits % divisor !== 0n) return null
  const value = (digits / divisor) * 10n ** BigInt(Math.max(0, power))
  return value >= 10n ** BigInt(precision) ? null : sign === '-' ? -value : value
}

const digits = (max: number) => fc.string({ unit: fc.constantFrom('0', '0', '1', '9'), maxLength: max })
const decimalText = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    digits(5),
    fc.constantFrom('', '.'),
    digits(4),
    fc.constantFrom('', '', 'e1', 'e-2', 'E+2'),
  )
  .map(parts => parts.join(''))

test('decimals fit by their digits, however they are written', async () => {
  const texts = fc.sample(decimalText, { numRuns: 3000, seed: 7 })
  const { stored, refused } = await imported('Decimal(5, 2)', 'csv', texts)
  const expected = texts.map(text => decimal(text, 5, 2))
  expect(refused.map(n => texts[n])).toEqual(texts.filter((_, n) => expected[n] === null))
  expect(stored.map(text => decimal(text!, 5, 2))).toEqual(expected.filter(value => value !== null))
})

test.each(['Int8', 'UInt64', 'Int128', 'UInt128', 'Int256', 'UInt256'])(
  '%s accepts the integers of its range, alone and in lists',
  async type => {
    const bits = BigInt(/\d+/.exec(type)![0])
    const [least, most] = type.startsWith('U') ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
    const near = fc.tuple(
      fc.constantFrom(least, most, 0n, 2n ** bits, -(2n ** bits), 2n ** (bits + 1n)),
      fc.bigInt(-3n, 3n),
    )
    const values = fc.sample(near, { numRuns: 500, seed: 7 }).map(([edge, off]) => edge + off)
    const isIn = (value: bigint) => value >= least && value <= most
    const alone = await imported(type, 'csv', values.map(String))
    expect(alone.stored.map(text => BigInt(text!))).toEqual(values.filter(isIn))
    const inLists = values.map(value => `[${value}]`)
    const listed = await imported(`Array(${type})`, 'ndjson', inLists)
    expect(listed.refused).toEqual(alone.refused)
  },
)

test('times fit if they exist in the calendar and are in range', async () => {
  const part = (digits: number, ...values: readonly number[]) =>
    fc.constantFrom(...values.map(value => String(value).padStart(digits, '0')))
  const texts = fc
    .sample(
      fc.tuple(
        part(4, 0, 1969, 1970, 2023, 2024, 2106, 2107),
        part(2, 0, 1, 2, 4, 12, 13),
        part(2, 0, 1, 7, 8, 29, 30, 31, 32),
        fc.constantFrom(' ', 'T'),
        part(2, 0, 6, 23, 24),
        part(2, 0, 28, 59, 60),
        part(2, 0, 15, 16, 59, 60, 61),
        fc.constantFrom('', '', 'Z', '+01:00'),
      ),
      { numRuns: 3000, seed: 7 },
    )
    .map(
      ([year, month, day, between, hour, minute, second, zone]) =>
        `${year}-${month}-${day}${between}${hour}:${minute}:${second}${zone}`,
    )
  const seconds = (text: string): number | null => {
    const [, date, clock, zone] = /^(.{10}).(.{8})(.*)$/.exec(text)!
    const at = Date.parse(`${date}T${clock}Z`)
    if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 19) !== `${date}T${clock}`) return null
    const value = at / 1000 - (zone === '+01:00' ? 3600 : 0)
    return value >= 0 && value < 2 ** 32 && !text.startsWith('0000') ? value : null
  }
  const { stored, refused } = await imported('DateTime', 'csv', texts)
  const expected = texts.map(seconds)
  expect(refused.map(n => texts[n])).toEqual(texts.filter((_, n) => expected[n] === null))
  expect(stored.map(text => Date.parse(`${text!.replace(' ', 'T')}Z`) / 1000)).toEqual(
    expected.filter(value => value !== null),
  )
})
