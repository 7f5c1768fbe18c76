import { validateHeaderValue } from 'node:http'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { attachment } from './content-disposition.ts'

test.each([
  ['report.csv', `attachment; filename="report.csv"; filename*=UTF-8''report.csv`],
  ['out/day 1.csv', `attachment; filename="day 1.csv"; filename*=UTF-8''day%201.csv`],
  ['größe.txt', `attachment; filename="gr__e.txt"; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt`],
  [`a"b'c.txt`, `attachment; filename="a_b'c.txt"; filename*=UTF-8''a%22b%27c.txt`],
  ['dir/', `attachment; filename="artifact"; filename*=UTF-8''artifact`],
])('%s is saved under the last part of its name', (name, expected) => {
  expect(attachment(name)).toBe(expected)
})

test('no name breaks out of the header or its quotes, and the encoded name is the last part', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), name => {
      const header = attachment(name)
      validateHeaderValue('content-disposition', header)
      const match = /^attachment; filename="([ !#-[\]-~]*)"; filename\*=UTF-8''([A-Za-z0-9%.~_!-]*)$/.exec(header)
      expect(match).not.toBeNull()
      const base = name.slice(name.lastIndexOf('/') + 1).toWellFormed() || 'artifact'
      expect(decodeURIComponent(match?.[2] ?? '')).toBe(base)
    }),
  )
})
