import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_LINE_BYTES } from '../model/log-line.ts'
import { type ChunkEnding, chunksIn, writeChunk } from './chunk.ts'
import { LineCutter } from './cut-lines.ts'
import { linesOf } from './decode-lines.ts'
import { countNewlines } from './newlines.ts'

type Cut = { readonly text: string; readonly ending: ChunkEnding }

const cut = (pieces: readonly Buffer[]): Cut[] => {
  const cuts: Cut[] = []
  const cutter = new LineCutter((text, ending) => cuts.push({ text: text.toString(), ending }))
  for (const piece of pieces) cutter.push(piece)
  cutter.end()
  return cuts
}

/** What a reader gets, through the encoding of chunks. */
const linesAfterStorage = (pieces: readonly Buffer[]): string[] => {
  const stored = cut(pieces).map(({ text, ending }) => {
    const bytes = Buffer.from(text)
    const target = Buffer.alloc(bytes.length + 32)
    const header = {
      stream: 'stdout',
      ending,
      attempt: 1,
      firstSeq: 1,
      count: countNewlines(bytes) + 1,
      timestamp: 0,
    } as const
    writeChunk(target, 0, header, bytes)
    return target
  })
  return [...chunksIn(Buffer.concat(stored))]
    .flatMap(chunk => linesOf(chunk, 1, Number.POSITIVE_INFINITY))
    .map(line => line.line)
}

const expectedLines = (text: string): string[] => {
  const lines = text.split('\n')
  const last = lines.pop()!
  return [...lines.map(line => line.replace(/\r$/, '')), ...(last === '' ? [] : [last])]
}

describe('cutting lines', () => {
  test('lines are the same however the text is split into writes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'é', '😀', '\u001b[1m'), maxLength: 12 }), {
          maxLength: 12,
        }),
        fc.nat({ max: 3 }),
        (texts, shift) => {
          const whole = Buffer.from(texts.join(''))
          const pieces: Buffer[] = []
          for (let at = 0; at < whole.length; at += 1 + shift) pieces.push(whole.subarray(at, at + 1 + shift))
          expect(linesAfterStorage(pieces)).toEqual(expectedLines(whole.toString()))
        },
      ),
    )
  })

  test('invalid UTF-8 is replaced and the text around it is unchanged', () => {
    expect(linesAfterStorage([Buffer.from([0x61, 0xff, 0x62, 10, 0xc3]), Buffer.from([0xa9, 10, 0xe2, 0x82])])).toEqual(
      ['a\ufffdb', 'é', '\ufffd'],
    )
  })

  test('a line over 64 KiB is split into marked pieces between characters', () => {
    const text = `${'é'.repeat(100_000)}\nshort\n`
    const bytes = Buffer.from(`x${text}`)
    for (const size of [1000, 65_535, 65_536, 65_537, 1_000_000]) {
      const pieces: Buffer[] = []
      for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
      const cuts = cut(pieces)
      expect(cuts.map(piece => piece.text + (piece.ending === 'continues' ? '' : '\n')).join('')).toBe(`x${text}`)
      expect(cuts.filter(piece => piece.ending === 'continues')).toHaveLength(3)
      for (const piece of cuts) expect(Buffer.byteLength(piece.text)).toBeLessThanOrEqual(MAX_LINE_BYTES)
    }
  })

  test('a stream without newlines never holds more than a piece', () => {
    let longest = 0
    const cutter = new LineCutter(text => {
      longest = Math.max(longest, text.length)
    })
    const block = Buffer.alloc(100_000, 'x')
    for (let i = 0; i < 100; i++) {
      cutter.push(block)
      expect(cutter.partial.length).toBeLessThanOrEqual(MAX_LINE_BYTES)
    }
    expect(longest).toBe(MAX_LINE_BYTES)
  })

  test('binary data comes out as lines of at most 64 KiB', () => {
    const cuts = cut([Buffer.alloc(300_000, 0xff)])
    for (const piece of cuts) expect(Buffer.byteLength(piece.text)).toBeLessThanOrEqual(MAX_LINE_BYTES)
    expect(cuts.map(piece => piece.text).join('')).toBe('\ufffd'.repeat(300_000))
  })

  test('newlines are counted correctly at every alignment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat({ max: 8 }), (bytes, offset) => {
        const text = Buffer.alloc(bytes.length + offset, 10)
          .fill(Buffer.from(bytes), offset)
          .subarray(offset)
        expect(countNewlines(text)).toBe(bytes.filter(byte => byte === 10).length)
      }),
    )
    expect(countNewlines(Buffer.alloc(100_000, 10))).toBe(100_000)
  })
})
