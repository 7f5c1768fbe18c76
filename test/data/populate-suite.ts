import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { millisecondsAtOnce } from '../at-once.ts'
import { type DataScene, materialized } from './scene.ts'

const DAYS = 120
/** As many partitions as months. */
const STEPS = 4

/** Cancelled and concurrent populates, with either store. */
export const describePopulates = (title: string, open: () => Promise<DataScene>): void => {
  describe(title, () => {
    let scene: DataScene
    beforeAll(async () => {
      scene = await open()
      await scene.dataSource('source', { day: 'Date', n: 'UInt64' }, { partitionKey: 'toYYYYMM(day)' })
      const rows = `SELECT toDate('2026-01-01') + number AS day, number AS n FROM numbers(${DAYS})`
      expect((await scene.run({ query: rows, datasource: 'source' })).error).toBeNull()
      await scene.pipe('slow', [
        {
          name: 'slowly',
          sql: 'SELECT day, sumState(n + sleepEachRow(0.008)) AS n FROM source GROUP BY day',
          role: materialized('summed'),
        },
      ])
      await scene.pipe('next', [
        {
          name: 'counted',
          sql: 'SELECT day, countState() AS n FROM summed GROUP BY day',
          role: materialized('counts'),
        },
      ])
    }, 60_000)
    afterAll(() => scene?.stop())

    const submit = async (populate: Record<string, unknown> = {}): Promise<string> => {
      const answer = await scene.call('POST', '/v1/jobs', { populate: { pipe: 'slow', ...populate } })
      expect(answer.status, JSON.stringify(answer.body)).toBe(201)
      return answer.body.job_id
    }
    const job = async (id: string, wait = 0) => (await scene.call('GET', `/v1/jobs/${id}?wait=${wait}`)).body
    const command = (sql: string) => scene.warehouse.command({ workspace: 'default', sql })
    const statuses = async (id: string): Promise<string[]> =>
      ((await job(id)).progress?.steps ?? []).map(({ status }: { status: string }) => status)

    /** How often the whole history is in the data source and in its derived rows. */
    const totals = async () => ({
      rows: Number(await scene.value('SELECT count() FROM (SELECT sumMerge(n) FROM summed GROUP BY day)')),
      total: Number(await scene.value('SELECT sumMerge(n) FROM summed')),
      counted: Number(await scene.value('SELECT uniqExact(day) FROM counts')),
    })
    const TOTAL = (DAYS * (DAYS - 1)) / 2

    /** One day. */
    const FEW = { rows: 1, total: 5, counted: 1 }
    const ALL = { rows: DAYS, total: TOTAL, counted: DAYS }
    beforeEach(async () => {
      const few = await scene.run({
        populate: { pipe: 'slow', truncate: true, condition: "day = toDate('2026-01-01') + 5" },
      })
      expect(few.error).toBeNull()
      expect(await totals()).toEqual(FEW)
    })

    const cancel = async (id: string) => {
      const asked = performance.now()
      await scene.call('POST', `/v1/jobs/${id}/cancel`)
      const ended = await job(id, 10)
      return { ...ended, took: performance.now() - asked }
    }

    test('a populate that is cancelled in a step ends within a second and changes nothing', async () => {
      const atOnce = await millisecondsAtOnce(() => scene.run({ command: 'true' }))
      const id = await submit({ truncate: true })
      await expect.poll(() => statuses(id), { timeout: 30_000, interval: 10 }).toContain('done')
      const { status, progress, took } = await cancel(id)
      expect(status).toBe('cancelled')
      expect(took).toBeLessThan(atOnce)
      const steps: string[] = progress.steps.map((step: { status: string }) => step.status)
      expect(steps.filter(step => step === 'cancelled')).toHaveLength(1)
      expect(steps).not.toContain('working')
      expect(await totals()).toEqual(FEW)
      expect(await scene.staging()).toEqual([])
    }, 60_000)

    test('a populate that is cancelled at any moment either changed nothing or is complete', async () => {
      const started = performance.now()
      expect((await job(await submit({ truncate: true }), 60)).status).toBe('completed')
      const usual = performance.now() - started
      let before = await totals()
      expect(before).toEqual(ALL)
      for (let round = 0; round < 10; round++) {
        const atOnce = await millisecondsAtOnce(() => scene.run({ command: 'true' }))
        const id = await submit(round % 2 === 0 ? { truncate: true } : { truncate: true, condition: 'n < 100' })
        // Mostly near its end, when tables are exchanged.
        await sleep(round < 3 ? (usual * round) / 3 : usual * (0.9 + round / 50))
        const { status, took } = await cancel(id)
        if (status === 'completed') before = round % 2 === 0 ? ALL : { rows: 100, total: 4950, counted: 100 }
        else expect([status, took < atOnce], String(took)).toEqual(['cancelled', true])
        expect(await totals(), `after round ${round}`).toEqual(before)
        expect(await scene.staging()).toEqual([])
      }
    }, 300_000)

    test('a populate that is cancelled while its tables are being exchanged puts them back', async () => {
      const id = await submit({ truncate: true })
      await expect.poll(() => statuses(id), { timeout: 30_000, interval: 10 }).toContain('done')
      await command('DETACH TABLE counts PERMANENTLY')
      await expect
        .poll(async () => (await job(id)).progress?.message ?? '', { timeout: 30_000 })
        .toContain('cannot be put in place')
      expect(await statuses(id)).toEqual(Array(STEPS).fill('done'))
      expect(await scene.value('SELECT sumMerge(n) FROM summed')).toBe(String(TOTAL))
      expect(await cancel(id)).toMatchObject({ status: 'cancelled' })
      await command('ATTACH TABLE counts')
      expect(await totals()).toEqual(FEW)
      expect(await scene.staging()).toEqual([])
    }, 60_000)

    test('two populates of one node run one after the other, each completely', async () => {
      const ids = [await submit({ truncate: true }), await submit({}), await submit({ node: 'slowly' })]
      await expect.poll(() => statuses(ids[0]!), { timeout: 30_000, interval: 10 }).toHaveLength(STEPS)
      for (const id of ids.slice(1))
        expect(await job(id)).toMatchObject({ status: 'pending', status_reason: 'exclusive_key' })
      for (const id of ids) expect(await job(id, 60)).toMatchObject({ status: 'completed' })
      expect(await totals()).toEqual({ rows: DAYS, total: 3 * TOTAL, counted: DAYS })
      expect(await scene.staging()).toEqual([])
    }, 90_000)

    test('cancelling the first of two populates lets the second run', async () => {
      const ids = [await submit({ truncate: true }), await submit({ truncate: true })]
      await expect.poll(() => statuses(ids[0]!), { timeout: 30_000, interval: 10 }).toContain('done')
      expect(await cancel(ids[0]!)).toMatchObject({ status: 'cancelled' })
      expect(await job(ids[1]!, 60)).toMatchObject({ status: 'completed' })
      expect(await totals()).toEqual(ALL)
    }, 60_000)

    test('the data sources that a node joins are the same in all steps, even if they change meanwhile', async () => {
      await scene.dataSource('factors', { factor: 'UInt8' })
      const sql = 'SELECT day, factor, sleepEachRow(0.008) AS slept FROM source CROSS JOIN factors'
      await scene.pipe('joined', [{ name: 'products', sql, role: materialized('by_factor') }])
      const put = (factor: number) =>
        scene.run({ query: `SELECT ${factor} AS factor`, datasource: 'factors', mode: 'replace' })
      expect((await put(1)).error).toBeNull()
      const id = await submit({ pipe: 'joined' })
      await expect.poll(() => statuses(id), { timeout: 30_000, interval: 10 }).toContain('done')
      const linked = await scene.rows<{ name: string; unmerged: number }>(
        `SELECT name, create_table_query LIKE '%max_number_of_merges_with_ttl_in_pool = 0%' AS unmerged
          FROM system.tables WHERE database LIKE 'stg_%_source'`,
      )
      expect(linked).toContainEqual({ name: 'factors', unmerged: 1 })
      expect(linked.filter(({ unmerged }) => unmerged !== 1)).toEqual([])
      expect((await put(2)).error).toBeNull()
      expect(await statuses(id)).toContain('waiting')
      expect(await job(id, 60)).toMatchObject({ status: 'completed' })
      expect(await scene.value('SELECT groupUniqArray(factor) FROM by_factor')).toBe('1')
      expect(await scene.value('SELECT count() FROM by_factor')).toBe(String(DAYS))
    }, 60_000)
  })
}
