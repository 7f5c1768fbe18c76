import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { growthOf } from '../../test/growth.ts'
import { Masker } from './masker.ts'

const run = (secrets: readonly string[], pieces: readonly Buffer[]): string => {
  const masker = Masker.for(secrets)!()
  const out = pieces.map(piece => Buffer.from(masker.push(Buffer.from(piece))))
  return Buffer.concat([...out, masker.end()]).toString()
}

const masked = (secret: string, text: string): string => run([secret], [Buffer.from(text)])

const wrap = (text: string, width: number, lineBreak = '\n'): string =>
  text.match(new RegExp(`.{1,${width}}`, 'g'))!.join(lineBreak)

const toLines = (text: string, width: number): string => `${wrap(Buffer.from(text).toString('base64'), width)}\n`

type Wrapping = { readonly width: number; readonly lineBreak: string; readonly encoding: 'base64' | 'base64url' }

/** The wrapped text, and how it should be masked: up to four of the secret's own characters before the first break remain. */
const scene = (parts: { before: Uint8Array; secret: string; after: Uint8Array } & Wrapping) => {
  const { before, secret, after, width, lineBreak, encoding } = parts
  const encoded = Buffer.concat([before, Buffer.from(secret), after]).toString(encoding)
  const first = Math.ceil((before.length * 8) / 6)
  const end = Math.floor(((before.length + Buffer.byteLength(secret)) * 8) / 6)
  const lines: string[] = []
  for (let start = 0; start < encoded.length; start += width) {
    const line = encoded.slice(start, start + width)
    const from = Math.max(0, first - start)
    const to = Math.min(line.length, end - start)
    const isShown = to <= from || (first >= start && end > start + width && to - from < 5)
    lines.push(isShown ? line : `${line.slice(0, from)}***${line.slice(to)}`)
  }
  return { shown: wrap(encoded, width, lineBreak), expected: lines.join(lineBreak) }
}

/** None of their bytes is one of an ASCII secret. */
const others = fc.uint8Array({ min: 0x80, maxLength: 240 })
const wrapping = fc.record({
  width: fc.constantFrom(60, 64, 72, 76),
  lineBreak: fc.constantFrom('\n', '\r\n', '\\n', '\\r\\n', '\n  ', '\r\n\t'),
  encoding: fc.constantFrom('base64' as const, 'base64url' as const),
})
const parts = fc
  .record({ before: others, secret: fc.string({ minLength: 8, maxLength: 260 }), after: others })
  .chain(texts => wrapping.map(how => ({ ...texts, ...how })))

const cutAt = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [...new Set(cuts.map(cut => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length))
}

describe('base64 over several lines', () => {
  test('of a secret that repeats itself is masked, however the output is split, and what comes after it is not', () => {
    const secret = 'U'.repeat(6000)
    const output = Buffer.from(`before\n${toLines(secret, 76)}after\nend`)
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 12 }), cuts => {
        const lines = run([secret], cutAt(output, cuts)).split('\n')
        expect([lines[0], ...lines.slice(-2)]).toEqual(['before', 'after', 'end'])
        expect(lines.filter(line => /V{5}/.test(line))).toEqual([])
      }),
    )
  })

  test('of a secret that repeats itself takes time in proportion to the output', async () => {
    const secret = 'U'.repeat(6000)
    const growth = await growthOf({
      size: 2000,
      make: lines => Buffer.from(`${'V'.repeat(76)}\n`.repeat(lines)),
      work: output => run([secret], [output]),
    })
    expect(growth).toBeLessThan(3)
  })

  test('of a secret at any position shows at most four characters of it, however the output is split', () => {
    fc.assert(
      fc.property(parts, fc.array(fc.nat(), { maxLength: 12 }), (given, cuts) => {
        const { shown, expected } = scene(given)
        for (const end of ['', '\n'])
          expect(run([given.secret], cutAt(Buffer.from(shown + end), cuts))).toBe(expected + end)
      }),
      { numRuns: 2000 },
    )
  })

  test('is masked the same byte by byte as in one piece', () => {
    fc.assert(
      fc.property(parts, given => {
        const { shown, expected } = scene(given)
        const bytes = Buffer.from(shown)
        expect(
          run(
            [given.secret],
            Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
          ),
        ).toBe(expected)
      }),
      { numRuns: 200 },
    )
  })

  test.each([0, 1, 2, 3, 4, 5, 20, 33, 52, 53, 54, 55, 56, 57])(
    'after %d bytes of other text is masked whole',
    length => {
      const token = 'mr_job_0199f2c8-7d1e-7a3b-9c55-0123456789ab_1_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6c'
      const text = toLines(`${'u'.repeat(length)}${token}\n`, 76)
      const alone = Buffer.from(token).toString('base64')
      const left = masked(token, text)
      for (let at = 0; at + 8 <= alone.length; at++) expect(left).not.toContain(alone.slice(at, at + 8))
      expect(left.length).toBeLessThan(((length + 4) * 4) / 3 + 20)
    },
  )

  test('of a multi-line file is masked from the first to the last line', () => {
    const key = `-----BEGIN KEY-----\n${toLines('k3y'.repeat(300), 64)}-----END KEY-----\n`
    const left = masked(key, toLines(`a: ${key}`, 76))
    expect(left).toMatch(/^YTog\*\*\*\n(\*\*\*\n)+(\*\*\*)?.?=*\n$/)
  })

  test('is masked line by line with pauses in between, and no line waits for the next', () => {
    const { shown, expected } = scene({
      before: Buffer.alloc(40, 0xff),
      secret: 'correct-horse-battery-staple'.repeat(8),
      after: Buffer.alloc(0),
      width: 64,
      lineBreak: '\n',
      encoding: 'base64',
    })
    const masker = Masker.for(['correct-horse-battery-staple'.repeat(8)])!()
    const wanted = expected.split('\n')
    for (const [index, line] of shown.split('\n').entries())
      expect(masker.push(Buffer.from(`${line}\n`)).toString()).toBe(`${wanted[index]}\n`)
  })

  test('that is cut off is masked to the end', () => {
    const secret = 'correct-horse-battery-staple'.repeat(8)
    const lines = toLines(secret, 76)
    for (const length of [85, 100, 152, 160, 200]) expect(masked(secret, lines.slice(0, length))).toMatch(/^[*\n]+$/)
  })

  test('of other content passes, and what follows it is not held back', () => {
    const masker = Masker.for(['correct-horse-battery'])!()
    const line = `${Buffer.alloc(57, 'other').toString('base64')}\n`
    for (const text of [line, 'ok\n', line, '\n', line, '  ok\n', line, line, 'total 5\n'])
      expect(masker.push(Buffer.from(text)).toString()).toBe(text)
  })

  test('any bytes without the secret pass unchanged', () => {
    const base64 = fc.string({ unit: fc.constantFrom('A', 'Q', '+', '_', '\n', '\r', '\\', 'n', ' '), maxLength: 400 })
    fc.assert(
      fc.property(base64, fc.array(fc.nat(), { maxLength: 12 }), (text, cuts) => {
        expect(run(['never-printed-secret'], cutAt(Buffer.from(text), cuts))).toBe(text)
      }),
    )
  })
})
