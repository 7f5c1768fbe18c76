import { execFile } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DataScene, materialized } from '../data/scene.ts'
import { CALLS, differences, IMPORT_EXAMPLE, LIST_EXAMPLE, POPULATE_EXAMPLE } from './document.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape; what a test reads of them, it asserts
type Json = any

/** The calls of Tinybird's document and their answers, with either store. */
export const describeDocument = (
  title: string,
  open: (settings: Record<string, string>) => Promise<DataScene>,
): void => {
  describe(title, () => {
    let scene: DataScene
    let files: Server
    beforeAll(async () => {
      files = createServer((_request, response) =>
        response.end('date,user_id,event\n2024-07-01,1,click\n2024-07-02,2,view\n'),
      )
      await new Promise<void>(resolve => files.listen(0, '127.0.0.1', resolve))
      scene = await open({ 'allow-private-addresses': '127.0.0.1' })
      const columns = { date: 'Date', user_id: 'Int64', event: 'String' }
      await scene.dataSource('events', columns, { partitionKey: 'toYear(date)', sortingKey: 'date, user_id, event' })
      await scene.dataSource('visits', { day: 'Date', product: 'UInt64' }, { partitionKey: 'toYYYYMM(day)' })
      await scene.run({
        query: "SELECT toDate('2021-01-01') + number AS day, number AS product FROM numbers(180)",
        datasource: 'visits',
      })
      const slowly =
        'SELECT day, sum(cityHash64(product, number)) AS top FROM visits CROSS JOIN numbers(200000000) AS many GROUP BY day'
      await scene.pipe('top_product_per_day', [{ name: 'days', sql: slowly, role: materialized('top_products') }])
    })
    afterAll(async () => {
      await scene?.stop()
      files?.close()
    })

    const fileUrl = () => `http://127.0.0.1:${(files.address() as AddressInfo).port}/events_50M_1.csv`

    /** Runs a call of the document in a shell, with this host, token and id in place of those printed. */
    const run = async (call: string, jobId = ''): Promise<Json> => {
      const here = call
        .replace('<token>', scene.token)
        .replace('https://api.tinybird.co', scene.url)
        .replace(':job_id', jobId)
        .replace('curl', 'curl -sS --fail-with-body')
      const { stdout } = await promisify(execFile)('/bin/sh', ['-c', here])
      return JSON.parse(stdout)
    }

    describe('an import', () => {
      let imported: string
      beforeAll(async () => {
        const url = `/v0/datasources?url=${encodeURIComponent(fileUrl())}&mode=append&format=csv&name=events`
        const { status, body } = await scene.call('POST', url)
        expect(status, JSON.stringify(body)).toBe(200)
        imported = body.id
        await scene.call('GET', `/v1/jobs/${imported}?wait=60`)
      })

      test('is in the list of the latest jobs', async () => {
        const list = await run(CALLS.list)
        const listed = list.jobs.find((job: Json) => job.id === imported)
        expect(listed.job_url).toBe(`${scene.url}/v0/jobs/${imported}`)
        expect(differences(LIST_EXAMPLE.jobs[0], listed)).toEqual([])
        expect(Object.keys(listed)).toEqual(Object.keys(LIST_EXAMPLE.jobs[0]!))
      })

      test('has the details of the example', async () => {
        const job = await run(CALLS.detail, imported)
        expect(job.error).toBeUndefined()
        expect(job).toMatchObject({
          kind: 'import',
          status: 'done',
          is_cancellable: false,
          mode: 'append',
          url: fileUrl(),
          statistics: { row_count: 2 },
          quarantine_rows: 0,
          invalid_lines: 0,
          datasource: {
            name: 'events',
            engine: { engine: 'MergeTree', partition_key: 'toYear(date)', sorting_key: 'date, user_id, event' },
            type: 'csv',
          },
        })
        expect(job.job_id).toBe(job.id)
        expect(differences(IMPORT_EXAMPLE, job)).toEqual([])
      })
    })

    test('a running populate is cancelled, and its answer matches the example', async () => {
      const { body: started } = await scene.call('POST', '/v0/pipes/top_product_per_day/nodes/days/population')
      const begun = async () => (await run(CALLS.detail, started.job_id)).queries.length
      await expect.poll(begun, { timeout: 20_000 }).toBe(6)
      const job = await run(CALLS.cancel, started.job_id)
      expect(job).toMatchObject({ kind: 'populateview', status: 'cancelling', pipe_name: 'top_product_per_day' })
      expect(differences(POPULATE_EXAMPLE, job)).toEqual([])
      const statuses = job.queries.map((query: Json) => query.status)
      const waiting = statuses.filter((status: string) => status === 'waiting').length
      expect(statuses).toContain('working')
      expect(job.progress_percentage).toBeCloseTo(((6 - waiting) / 6) * 100)
      await expect.poll(async () => (await run(CALLS.detail, started.job_id)).status).toBe('cancelled')
    })

    test('of several concurrent cancels of one job one gets 200, and the others that it is being cancelled', async () => {
      for (const round of [1, 2, 3, 4, 5]) {
        const { body: started } = await scene.call('POST', '/v0/pipes/top_product_per_day/nodes/days/population')
        // Sometimes while it waits, sometimes while it runs.
        if (round % 2 === 0)
          await expect
            .poll(async () => (await run(CALLS.detail, started.job_id)).queries.length, { timeout: 20_000 })
            .toBe(6)
        const cancel = () => scene.call('POST', `/v0/jobs/${started.job_id}/cancel`)
        const answers = await Promise.all([cancel(), cancel(), cancel()])
        expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400])
        for (const { status, body } of answers)
          if (status === 400)
            expect(body.error).toMatch(/^The job is not in a cancellable status: it is cancell(ing|ed)\.$/)
        await expect.poll(async () => (await run(CALLS.detail, started.job_id)).status).toBe('cancelled')
        expect((await cancel()).status).toBe(400)
      }
    }, 60_000)
  })
}
