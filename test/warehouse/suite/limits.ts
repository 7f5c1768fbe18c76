import { expect, test } from 'vitest'
import type { AreaTests } from './scene.ts'

export const limitTests: AreaTests = scene => {
  test('of memory', async () => {
    const sql = 'SELECT groupArray(toString(number)) AS a FROM numbers(20000000)'
    expect((await scene().refusal({ sql, limits: { memoryBytes: 50_000_000 } })).reason).toBe('query_memory')
  })

  test('of time', async () => {
    const sql = 'SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1'
    expect((await scene().refusal({ sql, limits: { timeoutMs: 500 } })).reason).toBe('query_timeout')
  })

  test('of rows', async () => {
    expect((await scene().refusal({ sql: 'SELECT * FROM numbers(100001)', limits: { resultRows: 1000 } })).reason).toBe(
      'query_rows',
    )
    expect(
      (await scene().read({ sql: 'SELECT * FROM numbers(1000)', limits: { resultRows: 1000 } })).summary.rowCount,
    ).toBe(1000)
  })
}
