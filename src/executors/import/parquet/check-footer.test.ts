import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { INT64, int64, parquetOf, parquetOfDepth, parquetOfFooter } from '../../../../test/import/parquet-footer.ts'
import { checkFooter } from './check-footer.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-footer-'))
const path = join(folder, 'file.parquet')
afterAll(() => rmSync(folder, { recursive: true }))

const check = async (content: Uint8Array): Promise<string> => {
  writeFileSync(path, content)
  return checkFooter(path).then(
    () => 'fine',
    (error: Error) => error.message,
  )
}

/** The header of a list that claims 2³⁰ structs, and of one that claims a thousand. */
const [MANY, THOUSAND] = [
  [0xfc, 0x80, 0x80, 0x80, 0x80, 0x04],
  [0xfc, 0xe8, 0x07],
]
/** A version, and an empty schema, before what is next to the fourth field. */
const BEFORE_GROUPS = [0x15, 2, 0x19, 0x0c, 0x29]

/** A version, a schema of one element whose name ends in a zero, and the number of rows. */
const NAMED_ROOT = [0x15, 2, 0x19, 0x1c, 0x48, 2, 0x78, 0, 0x15, 0, 0]

test.each([
  ['elements of the schema', [0x15, 2, 0x19, ...MANY, 0]],
  ['row groups', [...BEFORE_GROUPS, ...MANY, 0]],
  ['columns of a row group', [...BEFORE_GROUPS, 0x1c, 0x19, ...MANY, 0]],
  ['columns of a row group of a byte each', [...BEFORE_GROUPS, 0x1c, 0x19, ...THOUSAND, ...Array(1000).fill(0), 0, 0]],
  ['row groups after a name', [...NAMED_ROOT, 0x16, 0, 0x19, ...MANY, 0]],
  ['items of an unknown list', [0x09, 0xd0, 0x0f, ...MANY, 0]],
  ['items of a map', [0x0b, 0xd0, 0x0f, 0x80, 0x80, 0x80, 0x80, 0x04, 0x88, 0]],
])('a footer that claims more %s than there is room for is refused', async (_, footer) => {
  expect(await check(parquetOfFooter(Buffer.from(footer)))).toMatch(/in its footer a list claims more items than/)
})

test('a footer of more row groups than the format can number is refused', async () => {
  const groups = (count: number): Buffer => {
    const head = Buffer.from([...BEFORE_GROUPS, 0xfc, (count & 127) | 128, ((count >> 7) & 127) | 128, count >> 14])
    return Buffer.concat([head, Buffer.alloc(7 * count, Buffer.of(0x19, 0x0c, 0x16, 0, 0x16, 0, 0)), Buffer.of(0)])
  }
  expect(await check(parquetOfFooter(groups(32_768)))).toMatch(
    /in its footer there are 32768 row groups; a file may have 32767/,
  )
  expect(await check(parquetOfFooter(groups(32_767)))).toBe('fine')
})

test('a file of many row groups with names and statistics is accepted', async () => {
  const file = join(import.meta.dirname, '../../../../node_modules/vega-datasets/data/flights-3m.parquet')
  await expect(checkFooter(file)).resolves.toBeUndefined()
})

test('a footer of endlessly nested lists is refused', async () => {
  expect(await check(parquetOfFooter(Buffer.alloc(100_000, 0x19)))).toMatch(/nested too deep/)
})

test('other faults of a footer are left to the engine', async () => {
  for (const content of [
    parquetOf({ type: INT64, values: [int64(5n)], rows: 1n, name: 'v', columns: 14 }),
    parquetOfDepth(100_000),
    parquetOfFooter(Buffer.of(0x15)),
    parquetOfFooter(Buffer.of(0x1e, 0xff, 0xff)),
    Buffer.from('no Parquet at all'),
    Buffer.from('PAR1'),
  ])
    expect(await check(content)).toBe('fine')
})
