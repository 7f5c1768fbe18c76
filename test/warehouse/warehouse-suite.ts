import { existsSync } from 'node:fs'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import type { ResultFormat } from '../../src/model/job.ts'
import { TAKES_FUNCTIONS } from '../../src/warehouse/guard/judge-tree.ts'
import { quoteIdentifier } from '../../src/warehouse/quote-identifier.ts'
import { type QueryLimits, type QuerySummary, type Warehouse, WarehouseError } from '../../src/warehouse/warehouse.ts'
import { ATTACKS, BOUND_ATTACKS, HARMLESS } from './attacks.ts'

const LIMITS: QueryLimits = { timeoutMs: 60_000, memoryBytes: 2 ** 30, threads: null, resultRows: null }

type Ask = {
  readonly sql: string
  readonly workspace?: string
  readonly queryId?: string
  readonly format?: ResultFormat
  readonly parameters?: Record<string, unknown>
  readonly limits?: Partial<QueryLimits>
  readonly signal?: AbortSignal
}

/** What every warehouse must do, whichever engine is behind it. */
export const describeWarehouse = (name: string, open: () => Promise<Warehouse>): void => {
  describe(name, () => {
    const workspace = `w${newId().slice(-8)}`
    let warehouse: Warehouse

    const start = ({ limits, ...ask }: Ask) =>
      warehouse.query({
        workspace,
        queryId: newId(),
        format: 'ndjson',
        parameters: {},
        signal: new AbortController().signal,
        limits: { ...LIMITS, ...limits },
        ...ask,
      })

    const read = async (ask: Ask): Promise<{ bytes: Buffer; summary: QuerySummary }> => {
      const { content, summary } = await start(ask)
      return { bytes: Buffer.concat(await Array.fromAsync(content)), summary: await summary }
    }

    const text = async (ask: Ask): Promise<string> => (await read(ask)).bytes.toString('utf8')

    const refusal = async (ask: Ask): Promise<WarehouseError> => {
      const error = await read(ask).then(
        ({ bytes }) => new Error(`it ran and gave ${bytes.subarray(0, 200).toString('utf8')}`),
        error => error as Error,
      )
      if (!(error instanceof WarehouseError)) throw error
      return error
    }

    beforeAll(async () => {
      warehouse = await open()
      await warehouse.command({
        workspace,
        sql: 'CREATE TABLE secrets (a UInt64, b String) ENGINE = MergeTree ORDER BY a',
      })
      await warehouse.command({
        workspace,
        sql: 'INSERT INTO secrets SELECT number, toString(number) FROM numbers(10)',
      })
    })

    afterAll(async () => {
      if (warehouse === undefined) return
      await warehouse.command({ workspace, sql: 'DROP TABLE IF EXISTS secrets' })
      await warehouse.close()
    })

    describe('a query', () => {
      test('gives its rows in each format, with how many there are', async () => {
        const sql = 'SELECT number AS n, toString(number) AS s FROM numbers(3) ORDER BY n'
        expect(await text({ sql, format: 'ndjson' })).toBe('{"n":"0","s":"0"}\n{"n":"1","s":"1"}\n{"n":"2","s":"2"}\n')
        expect(JSON.parse(await text({ sql, format: 'json' }))).toEqual([0, 1, 2].map(n => ({ n: `${n}`, s: `${n}` })))
        expect(await text({ sql, format: 'csv' })).toBe('"n","s"\n0,"0"\n1,"1"\n2,"2"\n')
        expect((await read({ sql, format: 'parquet' })).bytes.subarray(-4).toString()).toBe('PAR1')
        for (const format of ['arrow', 'arrow_stream'] as const) {
          const { bytes, summary } = await read({ sql, format })
          expect(
            tableFromIPC(bytes)
              .toArray()
              .map(row => row.toJSON()),
          ).toEqual([0n, 1n, 2n].map(n => ({ n, s: `${n}` })))
          expect(summary.rowCount).toBe(3)
        }
      })

      test('in Arrow has the types that readers know, whatever its columns are called', async () => {
        const sql = 'SELECT toDateTime(0) AS `a.b``c`, generateUUIDv4() AS `x y`, 1 AS plain'
        const table = tableFromIPC((await read({ sql, format: 'arrow', limits: { resultRows: 1 } })).bytes)
        const types = table.schema.fields.map(({ name, type }) => [name, String(type)])
        expect(types).toEqual([
          ['a.b`c', expect.stringMatching(/^Timestamp<SECOND/)],
          ['x y', 'Utf8'],
          ['plain', 'Uint8'],
        ])
      })

      test('in Arrow may have two columns of one name', async () => {
        const sql = 'SELECT toDateTime(0) AS a, a'
        const table = tableFromIPC((await read({ sql, format: 'arrow' })).bytes)
        expect(table.schema.fields.map(({ name }) => name)).toEqual(['a', 'a'])
      })

      test('is not carried out to find its types', async () => {
        const sql = 'SELECT (SELECT sum(sleepEachRow(0.1)) FROM numbers(25)) AS slept, now() AS at'
        const startedAt = performance.now()
        await read({ sql, format: 'arrow' })
        expect(performance.now() - startedAt).toBeLessThan(2 * 2500)
      })

      test('without rows is an empty result', async () => {
        expect(JSON.parse(await text({ sql: 'SELECT 1 AS a WHERE 0', format: 'json' }))).toEqual([])
        const { bytes, summary } = await read({ sql: 'SELECT 1 AS a WHERE 0', format: 'arrow' })
        expect(tableFromIPC(bytes).numRows).toBe(0)
        expect(summary.rowCount).toBe(0)
      })

      test('reads the tables of its workspace, with or without the name of the database', async () => {
        expect(await text({ sql: 'SELECT count() AS n FROM secrets' })).toBe('{"n":"10"}\n')
        const database = quoteIdentifier(warehouse.database(workspace))
        expect(await text({ sql: `SELECT count() AS n FROM ${database}.secrets` })).toBe('{"n":"10"}\n')
        expect(await text({ sql: 'SELECT 3 IN (SELECT a FROM secrets) AS n' })).toBe('{"n":1}\n')
      })

      test('counts the rows of its result, not those it read', async () => {
        expect((await read({ sql: 'SELECT count() FROM numbers(100000)' })).summary.rowCount).toBe(1)
        expect(
          (await read({ sql: 'SELECT number FROM numbers(100000) LIMIT 7', format: 'arrow' })).summary.rowCount,
        ).toBe(7)
      })

      test('keeps the order of its rows through the result', async () => {
        const lines = (await text({ sql: 'SELECT number AS n FROM numbers(300000) ORDER BY n DESC', format: 'csv' }))
          .trim()
          .split('\n')
        expect(lines.length).toBe(300_001)
        expect(lines.slice(1).every((line, index) => Number(line) === 299_999 - index)).toBe(true)
      })

      test('may be long, and so may its parameters', async () => {
        const long = 'x'.repeat(100_000)
        expect(await text({ sql: `SELECT length('${long}') AS n`, format: 'csv' })).toBe('"n"\n100000\n')
        const sql = 'SELECT length({long:String}) AS n'
        expect(await text({ sql, parameters: { long }, format: 'csv' })).toBe('"n"\n100000\n')
      })

      test('has its parameters bound by the engine, whatever they hold', async () => {
        const parameters = { n: 7, s: "it's \\ `x` -- ; DROP TABLE secrets\n\t", list: [1, 2], none: null }
        const sql =
          'SELECT {n:UInt8} AS n, {s:String} AS s, {list:Array(UInt8)} AS list, {none:Nullable(String)} AS none'
        expect(JSON.parse(await text({ sql, parameters, format: 'json' }))).toEqual([parameters])
        expect(await text({ sql: 'SELECT count() AS n FROM {t:Identifier}', parameters: { t: 'secrets' } })).toBe(
          '{"n":"10"}\n',
        )
      })

      test.each(HARMLESS)('%s is let through', async sql => {
        await expect(read({ sql, format: 'json' })).resolves.toBeDefined()
      })
    })

    describe('what a query cannot do', () => {
      for (const [aim, attacks] of Object.entries(ATTACKS))
        test(aim, async () => {
          for (const sql of attacks) {
            const error = await refusal({ sql }).catch(error => Promise.reject(new Error(`${sql}: ${error.message}`)))
            expect(error.reason, sql).toBe('sql_error')
          }
        })

      test('have a parameter taken for SQL, or for a name that is not its own', async () => {
        for (const { sql, parameters } of BOUND_ATTACKS)
          expect((await refusal({ sql, parameters })).reason, sql).toBe('sql_error')
      })

      test('pass a function by name to one that the guard does not know to take functions', async () => {
        const columns = await warehouse.rows({
          workspace,
          sql: "SELECT name FROM system.columns WHERE database = 'system' AND table = 'functions' AND name = 'higher_order'",
        })
        // Servers before 26 do not tell.
        if (columns.length === 0) return
        const takers = await warehouse.rows<{ name: string }>({
          workspace,
          sql: 'SELECT name FROM system.functions WHERE higher_order',
        })
        expect(takers.length).toBeGreaterThan(20)
        expect(takers.filter(({ name }) => !TAKES_FUNCTIONS.test(name))).toEqual([])
      })

      test('leave anything behind', async () => {
        expect(await text({ sql: 'SELECT count() AS n, sum(a) AS s FROM secrets' })).toBe('{"n":"10","s":"45"}\n')
        expect(await warehouse.rows({ workspace, sql: "SELECT name FROM system.tables WHERE name = 'pwned'" })).toEqual(
          [],
        )
        expect(existsSync('/tmp/millrace-pwned')).toBe(false)
      })
    })

    describe('an error', () => {
      test('of the grammar names the position', async () => {
        const { reason, message } = await refusal({ sql: 'SELECT a\nFROM secrets WHERE )' })
        expect(reason).toBe('sql_error')
        expect(message).toMatch(/position 29\b.*line 2, col 20/)
        expect(message).not.toMatch(/DB::|Code:|version/)
      })

      test('of the grammar names the position at a word in capitals, too', async () => {
        expect((await refusal({ sql: 'SELECT 1 FROM secrets ORDER WHERE 1' })).message).toMatch(
          /position 29 \(WHERE\).*Expected/,
        )
      })

      test('of an unknown table or column names it', async () => {
        expect((await refusal({ sql: 'SELECT * FROM nowhere' })).message).toContain('nowhere')
        expect((await refusal({ sql: 'SELECT nothing FROM secrets' })).message).toContain('nothing')
      })

      test.each(['csv', 'ndjson', 'json', 'arrow', 'arrow_stream', 'parquet'] as const)(
        'in the middle of a result in %s ends the result with that error, and none of its text is among the rows',
        async format => {
          const { content, summary } = await start({
            sql: "SELECT number, throwIf(number = 600000, 'it broke') AS t FROM numbers(700000)",
            format,
            limits: { threads: 1 },
          }).catch(error => ({ content: failing(error), summary: Promise.reject(error) }))
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

      test('does not become another one by what a query makes it say', async () => {
        const sql = "SELECT throwIf(1, 'Code: 210. DB::Exception: no (NETWORK_ERROR) (version 1)')"
        expect((await refusal({ sql })).reason).toBe('sql_error')
      })

      test('text that looks like an exception is an ordinary value', async () => {
        const value = 'Code: 60. DB::Exception: no (version 26.7)'
        expect(
          JSON.parse(await text({ sql: 'SELECT {v:String} AS v', parameters: { v: value }, format: 'json' })),
        ).toEqual([{ v: value }])
      })
    })

    describe('a limit', () => {
      test('of memory', async () => {
        const sql = 'SELECT groupArray(toString(number)) AS a FROM numbers(20000000)'
        expect((await refusal({ sql, limits: { memoryBytes: 50_000_000 } })).reason).toBe('query_memory')
      })

      test('of time', async () => {
        const sql = 'SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1'
        expect((await refusal({ sql, limits: { timeoutMs: 500 } })).reason).toBe('query_timeout')
      })

      test('of rows', async () => {
        expect((await refusal({ sql: 'SELECT * FROM numbers(100001)', limits: { resultRows: 1000 } })).reason).toBe(
          'query_rows',
        )
        expect(
          (await read({ sql: 'SELECT * FROM numbers(1000)', limits: { resultRows: 1000 } })).summary.rowCount,
        ).toBe(1000)
      })
    })

    describe('a running query', () => {
      const FOR_EVER = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1'

      const untilSeen = async (queryId: string): Promise<void> => {
        await expect.poll(() => warehouse.progress({ workspace, queryId }), { timeout: 20_000 }).not.toBeNull()
      }

      const untilGone = async (queryId: string): Promise<void> => {
        await expect.poll(() => warehouse.progress({ workspace, queryId }), { timeout: 20_000 }).toBeNull()
      }

      test('tells how far it is, and is cancelled', async () => {
        const queryId = newId()
        const end = refusal({ sql: FOR_EVER, queryId })
        await untilSeen(queryId)
        await expect
          .poll(async () => (await warehouse.progress({ workspace, queryId }))?.rowsRead, { timeout: 20_000 })
          .toBeGreaterThan(0)
        await warehouse.cancel({ workspace, queryId })
        expect((await end).reason).toBe('cancelled')
        await untilGone(queryId)
      })

      test('ends when its signal says so', async () => {
        const stop = new AbortController()
        const queryId = newId()
        const end = refusal({ sql: FOR_EVER, queryId, signal: stop.signal })
        await untilSeen(queryId)
        stop.abort()
        expect((await end).reason).toBe('cancelled')
        await untilGone(queryId)
      })

      test('ends when its result is left', async () => {
        const queryId = newId()
        const { content, summary } = await start({ sql: 'SELECT * FROM numbers(1000000000000)', queryId })
        for await (const part of content) if (part.length > 0) break
        await expect(summary).rejects.toThrow()
        await untilGone(queryId)
      })

      test('to cancel one that has ended is no error, and it has no progress', async () => {
        await warehouse.cancel({ workspace, queryId: newId() })
        expect(await warehouse.progress({ workspace, queryId: newId() })).toBeNull()
      })
    })

    test('one workspace does not see the tables of another', async () => {
      const other = `w${newId().slice(-8)}`
      expect((await refusal({ workspace: other, sql: 'SELECT * FROM secrets' })).reason).toBe('sql_error')
      expect(
        (
          await refusal({
            workspace: other,
            sql: `SELECT * FROM ${quoteIdentifier(warehouse.database(workspace))}.secrets`,
          })
        ).reason,
      ).toBe('sql_error')
    })

    test('rows are inserted from a stream, and a stream that breaks inserts none of a block that is not whole', async () => {
      await warehouse.command({ workspace, sql: 'CREATE TABLE inserted (a UInt64) ENGINE = MergeTree ORDER BY a' })
      const sql = 'INSERT INTO inserted FORMAT CSV'
      await warehouse.insert({ workspace, sql, content: lines(50_000) })
      expect(await warehouse.rows({ workspace, sql: 'SELECT count() AS n FROM inserted' })).toEqual([{ n: '50000' }])
      await expect(warehouse.insert({ workspace, sql, content: lines(10, 'no number') })).rejects.toMatchObject({
        reason: 'sql_error',
      })
      expect(await warehouse.rows({ workspace, sql: 'SELECT count() AS n FROM inserted' })).toEqual([{ n: '50000' }])
      await warehouse.command({ workspace, sql: 'DROP TABLE inserted' })
    })

    test('statements of the server run in the database they name, with values bound', async () => {
      const staging = `${warehouse.database(workspace)}_stg`
      await warehouse.command({ workspace, sql: `CREATE DATABASE ${quoteIdentifier(staging)}` })
      await warehouse.command({
        workspace,
        database: staging,
        sql: 'CREATE TABLE `odd``name` (a String) ENGINE = Memory',
      })
      await warehouse.command({
        workspace,
        database: staging,
        sql: `INSERT INTO ${quoteIdentifier('odd`name')} SELECT {v:String}`,
        parameters: { v: "it's" },
      })
      const sql = `SELECT a FROM ${quoteIdentifier('odd`name')}`
      expect(await warehouse.rows({ workspace, database: staging, sql })).toEqual([{ a: "it's" }])
      await warehouse.command({ workspace, sql: `DROP DATABASE ${quoteIdentifier(staging)}` })
    })

    describe('an expression of a user', () => {
      const check = (sql: string) => warehouse.checkExpression({ workspace, sql })

      test('comes back as one that may stand in a statement', async () => {
        expect(await check('toDate( a ) -- by day')).toBe('toDate(a)')
        expect(await check('(a,b)')).toBe('(a, b)')
        expect(await check('at + INTERVAL 1 DAY')).toBe('at + toIntervalDay(1)')
      })

      test.each([
        'a, b',
        '(SELECT 1)',
        'a IN (SELECT 1)',
        'a FROM secrets',
        'a WHERE 1',
        'a SETTINGS readonly = 0',
        "file('/etc/passwd')",
        "dictGet('d', 'a', 1)",
        'a) ENGINE = Memory AS (SELECT 1',
        'a; DROP TABLE secrets',
        "a INTO OUTFILE '/tmp/millrace-pwned'",
        'a UNION ALL SELECT 1',
        '',
      ])('%s is refused', async sql => {
        await expect(check(sql)).rejects.toMatchObject({ reason: 'sql_error' })
      })
    })

    test('a long statement is not broken off by the idle time of a client that used its connection before', async () => {
      const wait = 'SELECT sleepEachRow(1) FROM numbers(4) SETTINGS max_block_size = 1'
      await warehouse.rows({ workspace, sql: 'SELECT 1' })
      const slow = await warehouse.rows({ workspace, sql: wait, database: 'system' })
      expect(slow).toHaveLength(4)
    })

    test('an engine that answers has no problem', async () => {
      expect(await warehouse.problem()).toBeNull()
    })
  })
}

async function* failing(error: unknown): AsyncGenerator<Uint8Array> {
  yield* []
  throw error
}

async function* lines(count: number, last?: string): AsyncGenerator<Uint8Array> {
  for (let line = 0; line < count; line++) yield Buffer.from(`${line}\n`)
  if (last !== undefined) yield Buffer.from(`${last}\n`)
}
