import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { INT64, int64, parquetOf, parquetOfFooter } from '../../../../test/import/parquet-footer.ts'
import { longestBlockOf } from '../../../../test/longest-block.ts'
import { END_BYTES } from './footer-place.ts'
import { mendFooter } from './mend-footer.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-footer-'))
const path = join(folder, 'file.parquet')
afterAll(() => rmSync(folder, { recursive: true }))

const mended = async (content: Uint8Array): Promise<Buffer> => {
  writeFileSync(path, content)
  await mendFooter(path)
  return readFileSync(path)
}

const decimals = (precision: number, logicalPrecision = precision) => {
  const type = { type: INT64, convertedType: 5, scale: 2, precision, logicalPrecision }
  return parquetOf({ ...type, values: [int64(5n)], rows: 1n, name: 'v' })
}

test.each([1, 5, 9])('a decimal of %i digits in eight bytes is widened to eighteen', async precision => {
  expect(await mended(decimals(precision))).toEqual(decimals(18))
})

test.each([
  [18, 5],
  [5, 18],
])('a decimal declared with %i and %i digits is widened to eighteen', async (precision, logicalPrecision) => {
  expect(await mended(decimals(precision, logicalPrecision))).toEqual(decimals(18))
})

test('content that needs no mending is left as it is', async () => {
  for (const content of [
    decimals(10),
    decimals(18),
    parquetOf({ type: INT64, values: [int64(5n)], rows: 1n, name: 'v' }),
    Buffer.alloc(0),
    Buffer.from('PAR1'),
    Buffer.from('PAR1PAR1'),
    Buffer.from('no Parquet at all'),
    Buffer.concat([Buffer.from('PAR1'), Buffer.of(0xff, 0xff, 0xff, 0xff), Buffer.from('PAR1')]),
  ])
    expect(await mended(content)).toEqual(content)
})

/** A version, and a schema with one column, of the type GEOMETRY. */
const GEOMETRY = Buffer.from('1502192c480161150200150c3801676c0c22000000', 'hex')

/** The bytes before the footer are unchanged, the end gives the length of the new footer, and nothing is left to mend. */
const expectMended = async (content: Buffer) => {
  const result = await mended(content)
  const dataBytes = content.length - END_BYTES - content.readUInt32LE(content.length - END_BYTES)
  expect(result.subarray(0, dataBytes)).toEqual(content.subarray(0, dataBytes))
  expect(result.readUInt32LE(result.length - END_BYTES)).toBe(result.length - END_BYTES - dataBytes)
  expect(result.toString('latin1', result.length - 4)).toBe('PAR1')
  if (result.length !== content.length) expect(result.includes('"encoding":"WKB"')).toBe(true)
  expect(await mended(result)).toEqual(result)
}

test('a footer of any bytes is read to the end and is valid afterwards', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async footer => {
      await expectMended(parquetOfFooter(footer))
    }),
  )
})

test.each([
  ['a decimal', decimals(5)],
  ['a geometry', parquetOfFooter(GEOMETRY)],
])('a footer of %s with any byte replaced is read to the end and is valid afterwards', async (_, whole) => {
  const place = fc.nat(whole.length - END_BYTES - 1)
  await fc.assert(
    fc.asyncProperty(place, fc.nat(255), async (at, byte) => {
      const content = Buffer.from(whole)
      content[at] = byte
      await expectMended(content)
    }),
    { numRuns: 500 },
  )
})

/** The header of a list of that many structs, with room for a number of four bytes. */
const structs = (count: number): Buffer =>
  Buffer.of(0xfc, ...[0, 7, 14].map(bits => ((count >> bits) & 127) | 128), (count >> 21) & 127)

const MANY = 15 * 1024 * 1024

test.each([
  ['elements', Buffer.concat([Buffer.of(0x15, 2, 0x19), structs(MANY), Buffer.alloc(MANY)])],
  ['fields', Buffer.concat([GEOMETRY, Buffer.alloc(MANY, 0x11)])],
  ['pairs', Buffer.concat([GEOMETRY, Buffer.of(0x39), structs(MANY), Buffer.alloc(MANY)])],
  ['row groups', Buffer.concat([GEOMETRY, Buffer.of(0x29), structs(2 * MANY), Buffer.alloc(4 * MANY, '\x11\0')])],
])('a footer of millions of %s does not block the event loop', { timeout: 60_000 }, async (_, footer) => {
  const content = parquetOfFooter(Buffer.concat([footer, Buffer.of(0)]))
  writeFileSync(path, content)
  const before = process.memoryUsage.rss()
  expect(await longestBlockOf(() => mendFooter(path))).toBeLessThan(1000)
  expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(500)
})
