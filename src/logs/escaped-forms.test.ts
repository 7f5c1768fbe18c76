import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapedForms } from './escaped-forms.ts'
import { Masker, maskText } from './masker.ts'

/** All printable ASCII except letters and digits. */
const SIGNS = ' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'

describe('the escaped forms of a secret', () => {
  test.each([
    ['quote of Python', '%20%21%22%23%24%25%26%27%28%29%2A%2B%2C-./%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E_%60%7B%7C%7D~'],
    [
      'quote_plus of Python',
      '+%21%22%23%24%25%26%27%28%29%2A%2B%2C-.%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E_%60%7B%7C%7D~',
    ],
    ['urlencode of PHP', '+%21%22%23%24%25%26%27%28%29%2A%2B%2C-.%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E_%60%7B%7C%7D%7E'],
    ['UserPassword of Go', '%20%21%22%23$%25&%27%28%29%2A+,-.%2F%3A;%3C=%3E%3F%40%5B%5C%5D%5E_%60%7B%7C%7D~'],
    ['PathEscape of Go', '%20%21%22%23$%25&%27%28%29%2A+%2C-.%2F:%3B%3C=%3E%3F@%5B%5C%5D%5E_%60%7B%7C%7D~'],
  ])('include what %s writes', (_program, form) => {
    expect(escapedForms(SIGNS)).toContain(form)
  })

  const byRuntime: readonly (readonly [string, (text: string) => string])[] = [
    ['encodeURI', encodeURI],
    ['encodeURIComponent', encodeURIComponent],
    ['URLSearchParams', text => new URLSearchParams({ a: text }).toString().slice(2)],
    ['the password of a URL', text => Object.assign(new URL('http://u@h'), { password: text }).password],
    ['the user of a URL', text => Object.assign(new URL('http://h'), { username: text }).username],
    ['the query of a URL', text => Object.assign(new URL('http://h'), { search: `?${text}` }).search.slice(1)],
  ]
  test.each(byRuntime)('include what %s writes, with hexadecimal digits in either case', (_name, encode) => {
    const text = fc.string({ unit: 'grapheme', minLength: 8, maxLength: 40 }).filter(value => !/[\t\n\r]/.test(value))
    fc.assert(
      fc.property(text, secret => {
        const form = encode(secret)
        const lower = form.replace(/%[0-9A-F]{2}/g, code => code.toLowerCase())
        expect([secret, ...escapedForms(secret)]).toContain(form)
        expect([secret, ...escapedForms(secret)]).toContain(lower)
      }),
      { numRuns: 200, examples: [[`${SIGNS}é😀`]] },
    )
  })

  test('of plain letters and digits are only the secret itself', () => {
    expect(new Set(escapedForms('abcDEF-012_3.4'))).toEqual(new Set(['abcDEF-012_3.4']))
  })

  test.each([
    'postgres://u:pass%2Fw0rd%3A%20x@h/db',
    'postgres://u:pass%2fw0rd%3a%20x@h/db',
    'GET /pass/w0rd%3A%20x',
    'token=pass%2Fw0rd%3A+x&y=1',
    'https://h/?pass/w0rd:%20x',
  ])('are masked in %s', text => {
    expect(maskText(Masker.for(['pass/w0rd: x']), text)).toMatch(/\*\*\*/)
    expect(maskText(Masker.for(['pass/w0rd: x']), text)).not.toContain('w0rd')
  })
})
