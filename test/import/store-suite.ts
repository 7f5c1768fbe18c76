import { readdirSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { materialized } from '../data/scene.ts'
import type { ImportScene } from './scene.ts'

/** Imports into data sources that others write, truncate or drop, with either store. */
export const describeImportsAndOthers = (title: string, open: () => Promise<ImportScene>): void => {
  describe(title, () => {
    let scene: ImportScene
    let name: string
    let count = 0

    beforeAll(async () => {
      scene = await open()
    })
    afterAll(() => scene?.stop())

    /** A data source of three rows. */
    beforeEach(async () => {
      name = `events_${++count}`
      await scene.dataSource(name, { n: 'UInt32' })
      expect((await load('n\n1\n2\n3\n')).error).toBeNull()
    })

    const load = (csv: string, fields: Record<string, unknown> = {}) =>
      scene.import({ datasource: name, url: scene.give(`/${name}`, csv), ...fields })
    const submit = (content: string | Buffer, path = `/${name}`) =>
      scene.submit({ datasource: name, url: scene.give(path, content) })
    const rows = async () => Number(await scene.value(`SELECT count() FROM ${name}`))
    const stagingOf = async (id: string) =>
      (await scene.staging()).filter(database => database.includes(id.replaceAll('-', '')))
    const spooled = () => readdirSync(join(scene.dataDir, 'warehouse/default/imports'))
    const untilLoads = (id: string) =>
      expect.poll(() => stagingOf(id), { timeout: 30_000, interval: 5 }).toHaveLength(1)
    const drop = () => scene.call('DELETE', `/v1/datasources/${name}`)
    const hasTable = () => scene.value(`SELECT count() FROM system.tables WHERE name = '${name}'`)

    /** Enough rows for loading to take seconds. */
    const many = (rows: number) => Buffer.from(`n\n${'1234567\n'.repeat(rows)}`)
    const MANY = 8_000_000

    test('rows are appended, quarantined and replaced, with everything derived from them', async () => {
      await scene.pipe(`pipe_${count}`, [
        {
          name: `node_${count}`,
          sql: `SELECT n % 2 AS odd, countState() AS rows FROM ${name} GROUP BY odd`,
          role: materialized(`${name}_odd`),
        },
      ])
      expect(await load('n\n4\nx\n5\n')).toMatchObject({
        status: 'completed',
        statistics: { rows_written: 2, quarantine_rows: 1, row_count: 5 },
      })
      expect((await scene.call('GET', `/v1/datasources/${name}/quarantine`)).body.rows).toHaveLength(1)
      expect(await scene.value(`SELECT countMerge(rows) FROM ${name}_odd WHERE odd = 1`)).toBe('1')
      const replace = { mode: 'replace', replace_condition: 'n > 3' }
      expect(await load('n\n6\n', replace)).toMatchObject({ status: 'completed', statistics: { row_count: 4 } })
      expect(await scene.value(`SELECT groupArray(n) FROM (SELECT n FROM ${name} ORDER BY n)`)).toBe('1,2,3,6')
      expect(await load('n\n7\n', { mode: 'replace' })).toMatchObject({ statistics: { row_count: 1 } })
      expect(await scene.value(`SELECT countMerge(rows) FROM ${name}_odd`)).toBe('1')
      expect([await scene.staging(), spooled()]).toEqual([[], []])
    })

    test('several concurrent imports into one data source all complete', async () => {
      const ids = await Promise.all([1, 2, 3, 4].map(n => submit('n\n1\n2\n', `/${name}_${n}`)))
      for (const id of ids) expect(await scene.job(id, 60)).toMatchObject({ status: 'completed' })
      expect(await rows()).toBe(3 + 4 * 2)
    })

    test('an import that is cancelled at any moment ends within a second, and changed nothing or is complete', async () => {
      let expected = await rows()
      const started = performance.now()
      expect(await scene.job(await submit(many(MANY)), 60)).toMatchObject({ status: 'completed' })
      const usual = performance.now() - started
      expected += MANY
      const took: number[] = []
      for (let round = 0; round < 8; round++) {
        const id = await submit(many(MANY))
        await sleep(((round + 0.5) / 8) * usual)
        const asked = performance.now()
        await scene.call('POST', `/v1/jobs/${id}/cancel`)
        const { status } = await scene.job(id, 60)
        if (status === 'completed') expected += MANY
        else {
          expect(status).toBe('cancelled')
          took.push(Math.round(performance.now() - asked))
        }
        expect(await rows(), `after cancel ${round}`).toBe(expected)
        expect([await scene.staging(), spooled()]).toEqual([[], []])
      }
      expect(took.length).toBeGreaterThan(2)
      // On a busy machine, where all of it takes longer, accordingly longer.
      expect(Math.max(...took), String(took)).toBeLessThan(Math.max(1000, usual / 2))
    }, 180_000)

    test('a data source cannot be dropped or truncated while an import loads, and the refusal names the job', async () => {
      const id = await submit(many(MANY))
      await untilLoads(id)
      const refusals = [await drop(), await scene.call('POST', `/v1/datasources/${name}/truncate`)]
      for (const { status, body } of refusals)
        expect([status, body.code, body.detail]).toEqual([409, 'data_busy', expect.stringContaining(id)])
      expect((await scene.job(id)).status).toBe('running')
      expect(await scene.job(id, 60)).toMatchObject({ status: 'completed' })
      expect(await rows()).toBe(3 + MANY)
      expect((await drop()).status).toBe(204)
      expect(await hasTable()).toBe('0')
    }, 60_000)

    test('a data source can be dropped while the content of an import is read, and the import fails', async () => {
      let finish = () => {}
      const url = scene.give(`/${name}_slow`, (_, response: ServerResponse) => {
        response.write('n\n1\n')
        finish = () => response.end('2\n')
      })
      const id = await scene.submit({ datasource: name, url })
      await expect.poll(async () => (await scene.job(id)).status).toBe('running')
      await expect.poll(() => spooled().length, { timeout: 10_000 }).toBe(1)
      expect((await drop()).status).toBe(204)
      finish()
      expect(await scene.job(id, 30)).toMatchObject({ status: 'failed', error: { code: 'data_source_not_found' } })
      expect([await hasTable(), await scene.staging(), spooled()]).toEqual(['0', [], []])
    }, 60_000)
  })
}
