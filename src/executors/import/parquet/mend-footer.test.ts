import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { INT64, int64, parquetOf } from '../../../../test/import/parquet-footer.ts'
import { mendFooter } from './mend-footer.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-footer-'))
const path = join(folder, 'file.parquet')
afterAll(() => rmSync(folder, { recursive: true }))

const mended = async (content: Uint8Array): Promise<Buffer> => {
  writeFileSync(path, content)
  await mendFooter(path)
  return readFileSync(path)
}

const decimals = (precision: number) =>
  parquetOf({ type: INT64, values: [int64(5n)], rows: 1n, name: 'v', convertedType: 5, scale: 2, precision })

test.each([1, 5, 9])('a decimal of %i digits in eight bytes gets eighteen', async precision => {
  expect(await mended(decimals(precision))).toEqual(decimals(18))
})

test('what needs nothing stays as it is', async () => {
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

test('a footer of any bytes is read to an end, and keeps its length', async () => {
  const footer = fc.uint8Array({ maxLength: 200 })
  await fc.assert(
    fc.asyncProperty(footer, async bytes => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(bytes.length)
      const content = Buffer.concat([Buffer.from('PAR1'), bytes, length, Buffer.from('PAR1')])
      expect(await mended(content)).toHaveLength(content.length)
    }),
  )
  const whole = decimals(5)
  const place = fc.nat(whole.length - 9)
  await fc.assert(
    fc.asyncProperty(place, fc.nat(255), async (at, byte) => {
      const content = Buffer.from(whole)
      content[at] = byte
      expect(await mended(content)).toHaveLength(content.length)
    }),
    { numRuns: 500 },
  )
})
