import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { millisecondsAtOnce } from '../at-once.ts'
import { type DataScene, materialized } from './scene.ts'

type Opening = {
  readonly settings: Readonly<Record<string, string>>
  readonly clock: { readonly now: () => number; readonly monotonic: () => number }
  readonly dataDir: string
}

const SLOTS = 1
const MINUTE = 60_000

/** Committed rows that the engine does not put in place because of what somebody else has done in it. */
export const describeRefusals = (name: string, open: (opening: Opening) => Promise<DataScene>): void => {
  describe(name, () => {
    const clock = { offset: 0, now: () => Date.now(), monotonic: () => performance.now() + clock.offset }
    let scene: DataScene
    let dataDir: string
    let count = 0
    let table: string
    let fed: string
    const start = () => open({ settings: { 'max-workers': String(SLOTS), 'shutdown-grace': '0s' }, clock, dataDir })
    beforeAll(async () => {
      dataDir = mkdtempSync(join(tmpdir(), 'millrace-refused-'))
      scene = await start()
    })
    afterAll(async () => {
      await scene?.stop()
      rmSync(dataDir, { recursive: true, force: true })
    })

    /** A data source with one row, and one that is fed from it. */
    beforeEach(async () => {
      table = `rows_${++count}`
      fed = `fed_${count}`
      await scene.dataSource(table, { n: 'UInt64' })
      await scene.pipe(`pipe_${count}`, [
        { name: `node_${count}`, sql: `SELECT n FROM ${table}`, role: materialized(fed) },
      ])
      expect((await scene.run({ query: 'SELECT 7 AS n', datasource: table })).error).toBeNull()
    })

    const job = async (id: string, wait = 0) => (await scene.call('GET', `/v1/jobs/${id}?wait=${wait}`)).body
    const command = (sql: string) => scene.warehouse.command({ workspace: 'default', sql })
    const contents = async () => [
      await scene.value(`SELECT arraySort(groupArray(n)) FROM ${table}`),
      await scene.value(`SELECT arraySort(groupArray(n)) FROM ${fed}`),
    ]
    const staging = async (id: string) =>
      (await scene.staging()).filter(database => database.includes(id.replaceAll('-', '')))

    /** A replace during which somebody else changes the tables. */
    const replaceWhile = async (meddle: () => Promise<void>): Promise<string> => {
      const { status, body } = await scene.call('POST', '/v1/jobs', {
        query: 'SELECT number + 0 * sleepEachRow(0.2) AS n FROM numbers(5)',
        datasource: table,
        mode: 'replace',
      })
      expect(status).toBe(201)
      await expect.poll(() => staging(body.job_id), { timeout: 20_000 }).toHaveLength(1)
      await meddle()
      return body.job_id
    }

    const refused = async (of: () => string): Promise<string> => {
      const id = await replaceWhile(() => command(`DETACH TABLE ${of()} PERMANENTLY`))
      await expect
        .poll(async () => (await job(id)).progress?.message ?? null, { timeout: 20_000 })
        .toMatch(/^The rows are ready, but cannot be put in place: .*detached.* It is tried again\.$/)
      return id
    }

    const FORMER = ['7', '7']
    const NEW = ['0,1,2,3,4', '0,1,2,3,4']

    test('are put in place if the live table no longer exists', async () => {
      const id = await replaceWhile(async () => {
        for (const name of [table, fed]) await command(`DROP TABLE ${name} SYNC`)
      })
      expect(await job(id, 30)).toMatchObject({ status: 'completed', error: null })
      expect(await contents()).toEqual(NEW)
      expect(await staging(id)).toEqual([])
    })

    test('wait without a slot until the engine accepts them', async () => {
      const id = await refused(() => table)
      expect(await scene.run({ command: 'true' })).toMatchObject({ status: 'completed' })
      await scene.dataSource(`other_${count}`, { n: 'UInt64' })
      expect(await scene.run({ query: 'SELECT 1 AS n', datasource: `other_${count}` })).toMatchObject({
        status: 'completed',
      })
      await command(`ATTACH TABLE ${table}`)
      expect(await job(id, 40)).toMatchObject({
        status: 'completed',
        attempt: 1,
        progress: { message: expect.not.stringContaining('cannot be put in place') },
      })
      expect(await contents()).toEqual(NEW)
      expect(await staging(id)).toEqual([])
    }, 60_000)

    test('are taken back by a cancel, even if some of them were in place', async () => {
      const id = await refused(() => fed)
      expect(await scene.value(`SELECT count() FROM ${table}`)).toBe('5')
      const atOnce = await millisecondsAtOnce(() => scene.run({ command: 'true' }))
      const asked = performance.now()
      await scene.call('POST', `/v1/jobs/${id}/cancel`)
      expect(await job(id, 10)).toMatchObject({ status: 'cancelled' })
      expect(performance.now() - asked).toBeLessThan(atOnce)
      await command(`ATTACH TABLE ${fed}`)
      expect(await contents()).toEqual(FORMER)
      expect(await staging(id)).toEqual([])
      expect((await scene.run({ query: 'SELECT 8 AS n', datasource: table })).error).toBeNull()
      expect(await contents()).toEqual(['7,8', '7,8'])
    }, 60_000)

    test('are taken back after ten minutes, and the job fails with the reason', async () => {
      const id = await refused(() => fed)
      // An embedded store may take the jump for a frozen machine. If its rescue comes first, another attempt follows, with its own ten minutes.
      const afterTenMinutes = () => {
        clock.offset += 11 * MINUTE
        return job(id, 1)
      }
      await expect.poll(afterTenMinutes, { timeout: 60_000 }).toMatchObject({
        status: 'failed',
        error: { code: 'publication_failed', message: expect.stringContaining('detached') },
      })
      await command(`ATTACH TABLE ${fed}`)
      expect(await contents()).toEqual(FORMER)
      expect(await staging(id)).toEqual([])
    }, 90_000)

    test('do not keep others from writing after a restart, and are put in place once that is possible', async () => {
      const id = await refused(() => table)
      await scene.stop()
      scene = await start()
      await scene.dataSource(`another_${count}`, { n: 'UInt64' })
      expect(await scene.run({ query: 'SELECT 1 AS n', datasource: `another_${count}` })).toMatchObject({
        status: 'completed',
      })
      expect(await job(id)).toMatchObject({ status: 'running', attempt: 2 })
      await command(`ATTACH TABLE ${table}`)
      expect(await job(id, 60)).toMatchObject({ status: 'completed', attempt: 2 })
      expect(await contents()).toEqual(NEW)
      expect(await staging(id)).toEqual([])
    }, 120_000)
  })
}
