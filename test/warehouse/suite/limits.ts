import { expect, test } from 'vitest'
import type { AreaTests } from './scene.ts'

export const limitTests: AreaTests = scene => {
  test('of memory applies', async () => {
    const sql = 'SELECT groupArray(toString(number)) AS a FROM numbers(20000000)'
    expect((await scene().refusal({ sql, limits: { memoryBytes: 50_000_000 } })).reason).toBe('query_memory')
  })

  test('of time applies', async () => {
    const sql = 'SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1'
    expect((await scene().refusal({ sql, limits: { timeoutMs: 500 } })).reason).toBe('query_timeout')
  })

  test('of rows applies', async () => {
    expect((await scene().refusal({ sql: 'SELECT * FROM numbers(100001)', limits: { resultRows: 1000 } })).reason).toBe(
      'query_rows',
    )
    expect(
      (await scene().read({ sql: 'SELECT * FROM numbers(1000)', limits: { resultRows: 1000 } })).summary.rowCount,
    ).toBe(1000)
  })

  test('of rows applies to all SELECTs of a union together', async () => {
    const sql = 'SELECT number FROM numbers(1000) UNION ALL SELECT 1'
    for (const format of ['csv', 'arrow'] as const)
      expect(await scene().refusal({ sql, format, limits: { resultRows: 1000 } })).toMatchObject({
        reason: 'query_rows',
        message: 'The result has 1001 rows, and may have 1000 (MILLRACE_QUERY_ROWS).',
      })
    expect((await scene().read({ sql, format: 'csv', limits: { resultRows: 1001 } })).summary.rowCount).toBe(1001)
  })
}
