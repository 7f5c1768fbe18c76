import { expect, test } from 'vitest'
import type { AreaTests } from './scene.ts'

export const errorTests: AreaTests = scene => {
  test('of the grammar gives the position', async () => {
    const { reason, message } = await scene().refusal({ sql: 'SELECT a\nFROM secrets WHERE )' })
    expect(reason).toBe('sql_error')
    expect(message).toMatch(/position 29\b.*line 2, col 20/)
    expect(message).not.toMatch(/DB::|Code:|version/)
  })

  test('of the grammar gives the position at a keyword in capitals', async () => {
    expect((await scene().refusal({ sql: 'SELECT 1 FROM secrets ORDER WHERE 1' })).message).toMatch(
      /position 29 \(WHERE\).*Expected/,
    )
  })

  test('of an unknown table or column names it', async () => {
    expect((await scene().refusal({ sql: 'SELECT * FROM nowhere' })).message).toContain('nowhere')
    expect((await scene().refusal({ sql: 'SELECT nothing FROM secrets' })).message).toContain('nothing')
  })

  test.each(['csv', 'ndjson', 'ndjson_exact', 'json', 'arrow', 'arrow_stream', 'parquet'] as const)(
    'in the middle of a result in %s ends the result, and its text is not among the rows',
    async format => {
      const { content, summary } = await scene()
        .start({
          sql: "SELECT number, throwIf(number = 600000, 'it broke') AS t FROM numbers(700000)",
          format,
          limits: { threads: 1 },
        })
        .catch(error => ({ content: failing(error), summary: Promise.reject(error) }))
      summary.catch(() => {})
      let tail = Buffer.alloc(0)
      const reading = (async () => {
        for await (const part of content) tail = Buffer.concat([tail.subarray(-65_536), part])
      })()
      await expect(reading).rejects.toMatchObject({
        reason: 'sql_error',
        message: expect.stringContaining('it broke'),
      })
      await expect(summary).rejects.toMatchObject({ reason: 'sql_error' })
      expect(tail.includes('it broke')).toBe(false)
      expect(tail.includes('__exception__')).toBe(false)
    },
  )

  test('does not turn into another one because of its text', async () => {
    const sql = "SELECT throwIf(1, 'Code: 210. DB::Exception: no (NETWORK_ERROR) (version 1)')"
    expect((await scene().refusal({ sql })).reason).toBe('sql_error')
  })

  test('is not recognized in a value that looks like one', async () => {
    const value = 'Code: 60. DB::Exception: no (version 26.7)'
    expect(
      JSON.parse(await scene().text({ sql: 'SELECT {v:String} AS v', parameters: { v: value }, format: 'json' })),
    ).toEqual([{ v: value }])
  })
}

async function* failing(error: unknown): AsyncGenerator<Uint8Array> {
  yield* []
  throw error
}
