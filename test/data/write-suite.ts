import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DataScene, materialized, WORKSPACE } from './scene.ts'

/** What writes of rows must do, with either store. */
export const describeWrites = (name: string, open: () => Promise<DataScene>): void => {
  describe(name, () => {
    let scene: DataScene
    beforeAll(async () => {
      scene = await open()
    })
    afterAll(() => scene?.stop())

    const EVENTS = { day: 'Date', product: 'String', amount: 'Float64' }
    const PER_DAY =
      'SELECT day, product, countState() AS n, sumState(amount) AS total FROM events GROUP BY day, product'
    const PER_MONTH = 'SELECT toStartOfMonth(day) AS month, countMergeState(n) AS n FROM per_day GROUP BY month'

    /** Rows of events: `rows` of them from day `from` on. */
    const events = (from: number, rows: number) =>
      `SELECT toDate('2026-01-01') + ${from} + number % 90 AS day, concat('p', toString(number % 7)) AS product,
    toFloat64(number) AS amount FROM numbers(${rows})`

    const write = (query: string, datasource: string, mode = 'append') => scene.run({ query, datasource, mode })

    const counts = async () => ({
      events: Number(await scene.value('SELECT count() FROM events')),
      days: Number(await scene.value('SELECT countMerge(n) FROM per_day')),
      months: Number(await scene.value('SELECT countMerge(n) FROM per_month')),
      difference: Number(
        await scene.value('SELECT (SELECT sum(amount) FROM events) - (SELECT sumMerge(total) FROM per_day)'),
      ),
    })

    describe('written rows', () => {
      beforeAll(async () => {
        await scene.dataSource('events', EVENTS, { partitionKey: 'toYYYYMM(day)', sortingKey: 'product, day' })
        await scene.pipe('by_day', [
          { name: 'first', sql: 'SELECT * FROM events' },
          { name: 'days', sql: PER_DAY.replace('FROM events', 'FROM first'), role: materialized('per_day') },
        ])
        await scene.pipe('by_month', [{ name: 'months', sql: PER_MONTH, role: materialized('per_month') }])
      })

      test('are appended together with everything derived from them, aggregate states included', async () => {
        const job = await write(events(0, 1000), 'events')
        expect(job).toMatchObject({ status: 'completed', error: null })
        expect(job.statistics).toMatchObject({ rows_written: 1000, row_count: 1000, rows_read: 1000, bytes_read: 8000 })
        expect(await counts()).toEqual({ events: 1000, days: 1000, months: 1000, difference: 0 })
        await write(events(40, 500), 'events')
        expect(await counts()).toEqual({ events: 1500, days: 1500, months: 1500, difference: 0 })
      })

      test('replace the former rows and everything derived from them', async () => {
        const job = await write(events(10, 321), 'events', 'replace')
        expect(job.statistics).toMatchObject({ rows_written: 321, row_count: 321 })
        expect(await counts()).toEqual({ events: 321, days: 321, months: 321, difference: 0 })
      })

      test('leave no staging database behind', async () => {
        expect(await scene.staging()).toEqual([])
      })

      test('that cannot be written change nothing', async () => {
        const before = await counts()
        const missing = await write('SELECT day FROM events', 'events')
        expect(missing.error.code).toBe('schema_mismatch')
        const half = await write(
          `SELECT toDate('2026-01-01') AS day, 'p' AS product, toFloat64(throwIf(number = 500000)) AS amount FROM numbers(1000000)`,
          'events',
        )
        expect(half.error.code).toBe('sql_error')
        const nowhere = await write('SELECT 1', 'nowhere')
        expect(nowhere.error.code).toBe('data_source_not_found')
        const quarantine = await write('SELECT 1', 'events_quarantine')
        expect(quarantine.error).toEqual({
          code: 'data_source_not_found',
          message:
            'events_quarantine is a quarantine: only imports of events write to it. DELETE /v1/datasources/events/quarantine removes rows.',
        })
        expect(await counts()).toEqual(before)
        expect(await scene.staging()).toEqual([])
      })

      test('that a node cannot process are reported with the name of the node', async () => {
        await scene.dataSource('cities', { city: 'String' })
        await scene.dataSource('numbered', { id: 'Int64' })
        const sql = 'SELECT city AS id FROM cities'
        await scene.pipe('numbers_of', [{ name: 'as_number', sql, role: materialized('numbered') }])
        expect((await write("SELECT '7' AS city", 'cities')).error).toBeNull()
        const { error } = await write("SELECT 'Bonn' AS city", 'cities')
        expect(error).toMatchObject({
          code: 'sql_error',
          message: expect.stringMatching(
            /^The node as_number of the pipe numbers_of, which feeds numbered: Cannot parse string 'Bonn'/,
          ),
        })
        expect(await scene.value('SELECT ((SELECT count() FROM cities), (SELECT count() FROM numbered))')).toBe('1,1')
      })

      test('of several jobs at once into one data source are all there', async () => {
        const before = await counts()
        const jobs = await Promise.all([1, 2, 3, 4, 5].map(n => write(events(n, 100), 'events')))
        expect(jobs.map(job => job.status)).toEqual(Array(5).fill('completed'))
        const after = await counts()
        expect(after).toEqual({
          events: before.events + 500,
          days: before.days + 500,
          months: before.months + 500,
          difference: 0,
        })
      })
    })

    describe('a delete', () => {
      test('counts rows, then deletes exactly those that meet its condition', async () => {
        await scene.dataSource('facts', EVENTS, { partitionKey: 'toYYYYMM(day)' })
        await write(events(0, 900), 'facts')
        const condition = "product = 'p3' AND day < '2026-03-01'"
        const expected = Number(await scene.value(`SELECT count() FROM facts WHERE ${condition}`))
        expect(expected).toBeGreaterThan(0)
        const dry = await scene.run({ delete: { datasource: 'facts', condition, dry_run: true } })
        expect(dry.statistics).toMatchObject({ rows_to_be_deleted: expected })
        expect(await scene.value('SELECT count() FROM facts')).toBe('900')
        const job = await scene.run({ delete: { datasource: 'facts', condition } })
        expect(job.statistics).toMatchObject({ rows_deleted: expected, row_count: 900 - expected })
        expect(await scene.value(`SELECT count() FROM facts WHERE ${condition}`)).toBe('0')
        expect(await scene.value('SELECT count() FROM facts')).toBe(String(900 - expected))
      })

      test('reports its progress over all partitions', async () => {
        await scene.dataSource('slow', { n: 'UInt64' }, { partitionKey: 'n % 2' })
        await scene.warehouse.command({
          workspace: WORKSPACE,
          sql: 'INSERT INTO slow SELECT number FROM numbers(2000000)',
        })
        const condition = "n < 10 OR endsWith(repeat(toString(n), 1000), 'x')"
        const { body } = await scene.call('POST', '/v1/jobs', { delete: { datasource: 'slow', condition } })
        const told: { percentage: number; message: string }[] = []
        const look = async () => {
          const { body: job } = await scene.call('GET', `/v1/jobs/${body.job_id}`)
          if (job.progress !== null) told.push(job.progress)
          return job
        }
        await expect.poll(look, { timeout: 60_000, interval: 100 }).toMatchObject({
          status: 'completed',
          statistics: { rows_deleted: 10, row_count: 1_999_990 },
        })
        expect(told.map(({ message }) => message)).toContainEqual('partition 2 of 2')
        const inSecond = ({ message }: { message: string }) => message.startsWith('partition 2')
        for (const progress of told)
          expect(progress.percentage >= 50 || !inSecond(progress), progress.message).toBe(true)
      })

      test('accepts one expression without a query in it', async () => {
        const job = await scene.run({ delete: { datasource: 'facts', condition: '1 IN (SELECT 1)' } })
        expect(job.error.code).toBe('sql_error')
        const two = await scene.run({
          delete: { datasource: 'facts', condition: '1 = 1) OR (1 = 1; DROP TABLE facts' },
        })
        expect(two.error.code).toBe('sql_error')
        expect(Number(await scene.value('SELECT count() FROM facts'))).toBeGreaterThan(0)
        const named = await scene.run({ delete: { datasource: 'facts', condition: "('p3' AS product) = 'p9'" } })
        expect(named.error.message).toBe('An expression may not give names (AS product).')
        const unknown = await scene.run({ delete: { datasource: 'facts', condition: 'prodct = 1' } })
        expect(unknown.error.message).toMatch(
          /^Unknown expression( or function)? identifier `prodct`\. Maybe you meant: /,
        )
        const ofText = await scene.run({ delete: { datasource: 'facts', condition: 'product' } })
        expect(ofText.error.message).toBe('Invalid type for filter in WHERE: String.')
      })
    })

    describe('a copy', () => {
      test('writes the rows of its node into a data source, in the mode of the node or of the job', async () => {
        await scene.dataSource('snapshots', { product: 'String', n: 'UInt64', at: 'Date' })
        await scene.pipe('snapshot', [
          {
            name: 'now',
            sql: 'SELECT product, count() AS n, {at:Date} AS at FROM facts GROUP BY product',
            role: { type: 'copy', into: 'snapshots', mode: 'append', schedule: null },
          },
        ])
        const copy = (at: string, mode?: string) =>
          scene.run({ copy: { pipe: 'snapshot', parameters: { at }, ...(mode && { mode }) } })
        expect((await copy('2026-11-01')).statistics).toMatchObject({ rows_written: 7, row_count: 7 })
        expect((await copy('2026-11-02')).statistics).toMatchObject({ rows_written: 7, row_count: 14 })
        expect((await copy('2026-11-03', 'replace')).statistics).toMatchObject({ rows_written: 7, row_count: 7 })
        const lost = await scene.run({ copy: { pipe: 'nowhere' }, scheduled_at: new Date().toISOString() })
        expect(lost.error.code).toBe('pipe_not_found')
      })
    })

    describe('a populate', () => {
      test('feeds a node the whole history, with a step for each partition', async () => {
        await scene.pipe('by_product', [
          {
            name: 'products',
            sql: 'SELECT product, sumState(amount) AS total FROM facts GROUP BY product',
            role: materialized('per_product'),
          },
        ])
        expect(await scene.value('SELECT count() FROM per_product')).toBe('0')
        const job = await scene.run({ populate: { pipe: 'by_product' } })
        expect(job).toMatchObject({ status: 'completed', error: null, progress: { percentage: 100 } })
        expect(job.progress.steps).toHaveLength(3)
        expect(job.progress.steps.every((step: { status: string }) => step.status === 'done')).toBe(true)
        const sums = () =>
          scene.value('SELECT (SELECT sum(amount) FROM facts) - (SELECT sumMerge(total) FROM per_product)')
        expect(await sums()).toBe('0')
        await scene.run({ populate: { pipe: 'by_product', node: 'products', truncate: true } })
        expect(await sums()).toBe('0')
        await scene.run({ populate: { pipe: 'by_product', condition: "product = 'p1'", truncate: true } })
        expect(await scene.value('SELECT count() FROM per_product FINAL')).toBe('1')
      })
    })

    describe('a query', () => {
      test('reads a pipe by its name', async () => {
        const job = await scene.run({ query: 'SELECT count() AS n FROM snapshot_of', format: 'ndjson' })
        expect(job.error.code).toBe('sql_error')
        await scene.pipe('snapshot_of', [
          { name: 'all_of_it', sql: 'SELECT * FROM facts' },
          { name: 'half', sql: 'SELECT * FROM all_of_it WHERE amount % 2 = 0' },
        ])
        const answer = await scene.call('POST', '/v1/sql', {
          query: 'SELECT count() < (SELECT count() FROM facts) AS fewer FROM snapshot_of',
        })
        expect(answer.body).toEqual([{ fewer: 1 }])
      })
    })

    describe('two data sources that feed one target', () => {
      test('can be written at once without losing rows of either', async () => {
        for (const side of ['left', 'right']) {
          await scene.dataSource(`side_${side}`, { n: 'UInt64' })
          await scene.pipe(`from_${side}`, [
            {
              name: `sums_${side}`,
              sql: `SELECT 'all' AS key, sumState(n) AS n FROM side_${side}`,
              role: materialized('both_sides'),
            },
          ])
        }
        const one = (side: string, n: number) => write(`SELECT toUInt64(${n}) AS n`, `side_${side}`)
        const jobs = await Promise.all([1, 2, 3, 4].flatMap(n => [one('left', n), one('right', 10 * n)]))
        expect(jobs.map(job => job.status)).toEqual(Array(8).fill('completed'))
        expect(await scene.value('SELECT sumMerge(n) FROM both_sides')).toBe('110')
        expect((await write('SELECT toUInt64(5) AS n', 'side_left', 'replace')).error).toBeNull()
        expect(await scene.value('SELECT sumMerge(n) FROM both_sides')).toBe('105')
      })
    })
  })
}
