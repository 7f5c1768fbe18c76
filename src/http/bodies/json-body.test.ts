import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FieldError, MillraceError } from '../../kernel/errors.ts'
import { parseJson } from './json-body.ts'

const refused = (text: string | Buffer) => expect(() => parseJson(Buffer.from(text)))

const errorsOf = (text: string): readonly FieldError[] => {
  try {
    parseJson(Buffer.from(text))
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid', status: 422 })
    return (error as MillraceError).errors!
  }
  throw new Error(`${text} was read`)
}

describe('a JSON body', () => {
  test('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json(), text => {
        fc.pre(!text.includes('__proto__'))
        expect(parseJson(Buffer.from(text))).toEqual(JSON.parse(text))
      }),
    )
  })

  test('that is empty counts as no body', () => {
    expect(parseJson(Buffer.alloc(0))).toBeUndefined()
  })

  test('with a duplicate key has the last value', () => {
    expect(parseJson(Buffer.from('{"a":1,"a":2}'))).toEqual({ a: 2 })
  })

  test('that is not UTF-8 is refused', () => {
    refused(Buffer.from([0x22, 0xc3, 0x28, 0x22])).toThrow('not UTF-8')
  })

  test('with half a surrogate pair is refused with the path, wherever it is', () => {
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat({ max: 5 }), text), { maxLength: 6 }), text, text, (path, before, after) => {
        fc.pre(!path.includes('__proto__'))
        const wrap = (value: unknown): unknown =>
          path.reduceRight(
            (inner, name) => (typeof name === 'number' ? [...Array(name).fill('😀'), inner] : { a: 1, [name]: inner }),
            value,
          )
        const place = path.filter(name => name !== '').join('.')
        for (const half of ['\ud83d', '\udfff']) {
          for (const value of [`${before}${half} ${after}`, { [`${before}${half} ${after}`]: 1 }])
            expect(errorsOf(JSON.stringify(wrap(value)))).toHaveLength(1)
          expect(errorsOf(JSON.stringify(wrap(half))).map(({ path: told }) => told)).toEqual([place])
        }
        const whole = wrap(`${before}😀\\ud800${after}`)
        expect(parseJson(Buffer.from(JSON.stringify(whole)))).toEqual(whole)
      }),
    )
  })

  test('with numbers that would change when read is refused with their paths', () => {
    expect(errorsOf('{"parameters": {"id": 12345678901234567890, "half": "\\ud800"}, "to": [1e999]}')).toEqual([
      { path: 'parameters.half', message: expect.any(String) },
      { path: 'parameters.id', message: expect.stringContaining('12345678901234567890 is none: send it as a text') },
      { path: 'to.0', message: expect.stringContaining('1e999') },
    ])
    expect(parseJson(Buffer.from('{"a": "12345678901234567890", "b": 9007199254740992}'))).toMatchObject({ b: 2 ** 53 })
  })

  test('with many half surrogate pairs is refused with few of them, in short', () => {
    const long = 'n'.repeat(1_000_000)
    const errors = errorsOf(JSON.stringify({ a: { [long]: Array(1000).fill('\ud800') } }))
    expect(errors).toHaveLength(20)
    expect(errors[0]!.path.length).toBeLessThan(1000)
  })

  test('with escaped pairs, or an escaped backslash before one, is read', () => {
    expect(parseJson(Buffer.from('{"a":"\\ud83d\\ude00","b":"\\\\ud800"}'))).toEqual({ a: '😀', b: '\\ud800' })
  })

  test('that is not JSON is refused', () => {
    for (const text of ['{', "{'a':1}", '{"a":}', 'NaN', '\u0000', '{"a":1}x']) refused(text).toThrow('not JSON')
  })

  test('that would set a prototype is refused, however it is written', () => {
    refused('{"__proto__":{"admin":true}}').toThrow('__proto__')
    refused('{"a":[{"__proto__":1}]}').toThrow('__proto__')
    for (const [at, character] of [...'__proto__'].entries()) {
      const escaped = `\\u00${character.charCodeAt(0).toString(16)}`
      for (const spelt of [escaped, escaped.replace(/[a-f]$/, digit => digit.toUpperCase())])
        refused(`{"a":{"${'__proto__'.slice(0, at)}${spelt}${'__proto__'.slice(at + 1)}":1}}`).toThrow('__proto__')
    }
  })

  test.each(['\\u0061', '\\ud83d\\ude00', '":9007199254740992,"'])(
    'with %s in it, which is checked again, is read in about the usual time',
    written => {
      const body = (name: string) => Buffer.from(`{"${name}":[${'0,'.repeat(1_000_000)}0]}`)
      const timeOf = (bytes: Buffer): number => {
        const begun = process.cpuUsage()
        parseJson(bytes)
        const { user, system } = process.cpuUsage(begun)
        return user + system
      }
      const usual = Math.max(timeOf(body('a')), timeOf(body('a')))
      expect(Math.min(timeOf(body(written)), timeOf(body(written)))).toBeLessThan(4 * usual)
    },
  )

  test('with a hundred thousand fields in one object is refused, with many objects it is not', () => {
    const fields = (count: number) => Array.from({ length: count }, (_, index) => `"k${index}":":"`).join(',')
    refused(`{"a":[{${fields(100_001)}}]}`).toThrow('100000 fields')
    const objects = Array(20).fill(`{${fields(10_000)}}`)
    expect(parseJson(Buffer.from(`[${objects.join(',')}]`))).toHaveLength(20)
  })

  test('that only contains the text __proto__ is read', () => {
    expect(parseJson(Buffer.from('{"command":"echo __proto__"}'))).toEqual({ command: 'echo __proto__' })
  })

  test('that is nested too deeply is refused before it is traversed', () => {
    refused('['.repeat(1_000_000)).toThrow('nested deeper')
    refused(`${'{"a":'.repeat(600)}1${'}'.repeat(600)}`).toThrow('nested deeper')
  })

  test('may have any number of brackets in its strings', () => {
    const text = `\\"${'['.repeat(5000)}\\\\`
    expect(parseJson(Buffer.from(`{"a":"${text}"}`))).toEqual({ a: `"${'['.repeat(5000)}\\` })
  })
})
