import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Masker, maskText } from './masker.ts'
import { secretForms } from './secret-forms.ts'

const run = (secrets: readonly string[], pieces: readonly Buffer[]): string => {
  const masker = Masker.for(secrets)!()
  // A copy per piece: the masker may return views, and writers reuse their buffers.
  const out = pieces.map(piece => Buffer.from(masker.push(Buffer.from(piece))))
  return Buffer.concat([...out, masker.end()]).toString()
}

/** Splits bytes at arbitrary places. */
const cutAt = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [...new Set(cuts.map(cut => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length))
}

const cuts = fc.array(fc.nat(), { maxLength: 12 })
/** Few letters, so that beginnings and overlaps are common; no `*`, which masks consist of. */
const secret = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 8, maxLength: 14 }),
  fc.string({ unit: fc.constantFrom('k', 'é', '"', '/', ' ', '+', '\\', '%'), minLength: 8, maxLength: 20 }),
  fc
    .array(fc.string({ unit: fc.constantFrom('x', 'y', '1'), minLength: 8, maxLength: 12 }), {
      minLength: 2,
      maxLength: 4,
    })
    .map(lines => lines.join('\n')),
)
const noise = fc.string({ unit: fc.constantFrom('a', 'b', 'x', 'y', '\n', ' ', 'é'), maxLength: 30 })

describe('masking', () => {
  test('no form of a secret survives, however the output is split', () => {
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 3 }),
        fc.array(fc.record({ before: noise, which: fc.nat(), form: fc.nat() }), { minLength: 1, maxLength: 5 }),
        cuts,
        (secrets, parts, places) => {
          const forms = secrets.map(value => secretForms(value).all)
          const text = parts.map(({ before, which, form }) => {
            const choices = forms[which % forms.length]!
            return before + choices[form % choices.length]!
          })
          const bytes = Buffer.from(text.join(''))
          const masked = run(secrets, cutAt(bytes, places))
          for (const form of forms.flat()) expect(masked.includes(form)).toBe(false)
          expect(masked).toBe(run(secrets, [bytes]))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('text without secrets passes byte for byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (bytes, places) => {
        const secrets = ['never-printed-secret', 'zzzzzzzzzzzzzzzz\nanother-line-of-it']
        const masker = Masker.for(secrets)!()
        const out = cutAt(Buffer.from(bytes), places).map(piece => masker.push(piece))
        expect(Buffer.concat([...out, masker.end()])).toEqual(Buffer.from(bytes))
      }),
    )
  })

  test('an incomplete start of a secret passes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 17 }), cuts, (length, places) => {
        const text = `${'correct-horse-batt'.slice(0, length)}!`
        expect(run(['correct-horse-battery'], cutAt(Buffer.from(text), places))).toBe(text)
      }),
    )
  })

  test('a complete line is never held back, not even between two lines of a secret', () => {
    const masker = Masker.for(['first-line-of-it\nsecond-line-of-it'])!()
    expect(masker.push(Buffer.from('first-line-of-it\n')).toString()).toBe('***\n')
    expect(masker.push(Buffer.from('first-line-of\n')).toString()).toBe('first-line-of\n')
    expect(masker.push(Buffer.from('ok first-line-o')).toString()).toBe('ok ')
    expect(masker.end().toString()).toBe('first-line-o')
  })

  test.each([
    ['itself', 'hunter2hunter2', 'hunter2hunter2'],
    ['base64', 'hunter2hunter2', Buffer.from('hunter2hunter2').toString('base64').replace(/.?=+$/, '')],
    ['base64 after one byte', 'hunter2hunter2', Buffer.from(':hunter2hunter2').toString('base64').slice(2)],
    ['base64 after two bytes', 'hunter2hunter2', Buffer.from('u:hunter2hunter2').toString('base64').slice(3, -3)],
    ['the credentials after the scheme of a header', 'Bearer hunter2hunter2', 'hunter2hunter2'],
    ['base64url', '~~~~????>>>>', Buffer.from('~~~~????>>>>').toString('base64url')],
    ['URL encoding', 'p@ss w/rd&more', 'p%40ss%20w%2Frd%26more'],
    ['lower-case URL encoding', 'p@ss w/rd&more', 'p%40ss%20w%2frd%26more'],
    ['form encoding', 'p@ss w/rd&more', 'p%40ss+w%2Frd%26more'],
    ['JSON', 'quote"and\\slash', 'quote\\"and\\\\slash'],
    ['JSON of several lines', 'line one\nline two', 'line one\\nline two'],
    ['JSON in ASCII', 'pässwörter', 'p\\u00e4ssw\\u00f6rter'],
  ])('masks the form: %s', (_form, value, shown) => {
    expect(run([value], [Buffer.from(`<${shown}>`)])).toBe('<***>')
  })

  test('base64 wrapped like base64(1) leaves no whole line of it', () => {
    const value = 'a long secret value that needs more than one line of base64 when it is encoded, really'
    const wrapped = Buffer.from(value)
      .toString('base64')
      .replace(/(.{76})/g, '$1\n')
    expect(run([value], [Buffer.from(wrapped)])).toMatch(/^\*\*\*\n\*\*\*.?=*$/)
  })

  test('secrets that overlap or touch become one mask', () => {
    expect(run(['abcdefgh', 'efghijkl'], [Buffer.from('<abcdefghijkl>')])).toBe('<***>')
    expect(run(['abcdefgh'], [Buffer.from('<abcdefgh'), Buffer.from('abcdefgh>')])).toBe('<***>')
  })

  test('values shorter than 8 characters are not masked', () => {
    expect(Masker.for(['short', '1234567', ''])).toBeNull()
    expect(maskText(Masker.for(['short']), 'short')).toBe('short')
  })

  test('a whole text is masked in one call', () => {
    expect(maskText(Masker.for(['hunter2hunter2']), 'login with hunter2hunter2 failed')).toBe('login with *** failed')
  })
})
