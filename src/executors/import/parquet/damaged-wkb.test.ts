import { expect, test } from 'vitest'
import { damagedAmong } from './damaged-wkb.ts'

/** A row of RowBinary: a hash, and a polygon of one ring that claims a point and ends before it. */
const DAMAGED = Buffer.from(`${'ab'.repeat(16)}0d01030000000100000001000000`, 'hex')

/** That many of them. */
async function* rows(count: number): AsyncGenerator<Buffer> {
  const many = Buffer.alloc(10_000 * DAMAGED.length, DAMAGED)
  for (let left = count; left > 0; left -= 10_000) yield many.subarray(0, Math.min(left, 10_000) * DAMAGED.length)
}

test('up to a million damaged geometries are found, and more are not kept in memory', async () => {
  expect(await damagedAmong(rows(1_000_000))).toHaveLength(1_000_000)
  await expect(damagedAmong(rows(1_000_001))).rejects.toMatchObject({
    reason: 'content_unreadable',
    message: 'More than 1000000 geometries of the content are damaged.',
  })
})
