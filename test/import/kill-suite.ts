import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { call, getJob, submitJob, waitForEnd } from '../chaos/api.ts'
import { createServerProcess, type ServerProcess } from '../chaos/server-process.ts'
import { materialized, openDataScene } from '../data/scene.ts'

const KILLS = 8
const ROWS = 200_000

/** Rows of which one in a hundred is invalid. */
const CONTENT = Buffer.from(
  `n,text\n${Array.from({ length: ROWS }, (_, n) => `${n % 100 === 1 ? 'x' : n},some text`).join('\n')}\n`,
)
const BAD = ROWS / 100

/** Content that is not on disk, in chunks of a MiB. */
const LARGE_CHUNK = Buffer.from('1,a text of some length\n'.repeat(43_690))
const LARGE_CHUNKS = 160
const LARGE_ROWS = 43_690 * LARGE_CHUNKS

export type Store = {
  /** Flags of a server, and the same as variables. */
  readonly settings: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string>>
  readonly drop: () => Promise<void>
}

/** Imports whose server is killed, with either store. */
export const describeKills = (title: string, openStore: () => Promise<Store>): void => {
  describe(title, () => {
    let directory: string
    let server: ServerProcess
    let site: Server
    let store: Store

    beforeAll(async () => {
      store = await openStore()
      directory = mkdtempSync(join(tmpdir(), 'millrace-import-kill-'))
      const scene = await openDataScene({ dataDir: join(directory, 'data'), settings: store.settings })
      await scene.dataSource('events', { n: 'UInt32', text: 'String' })
      const sql = 'SELECT text, countState() AS rows FROM events GROUP BY text'
      await scene.pipe('counted', [{ name: 'counts', sql, role: materialized('counted_rows') }])
      await scene.stop()
      site = createServer((request, response) => {
        if (request.url === '/rows.csv') response.end(CONTENT)
        else Readable.from(largeContent()).pipe(response)
      }).listen(0, '127.0.0.1')
      server = await createServerProcess({
        directory,
        environment: { MILLRACE_ALLOW_PRIVATE_ADDRESSES: '127.0.0.1', ...store.environment },
      })
      await server.start()
    }, 60_000)
    afterAll(async () => {
      await server?.stop()
      site?.close()
      await store?.drop()
      rmSync(directory, { recursive: true, force: true })
    })

    const submit = (mode: string, file = 'rows.csv'): Promise<string> => {
      const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/${file}`
      return submitJob(server.url, { import: { datasource: 'events', url, mode } })
    }
    const ended = (jobId: string) => waitForEnd(server, jobId)

    const totals = async () => {
      const query = `SELECT toInt32((SELECT count() FROM events)) AS events,
        toInt32((SELECT countMerge(rows) FROM counted_rows)) AS counted`
      const answer = await call(server.url, '/v1/sql', { method: 'POST', body: { query } })
      expect(answer.status, answer.body).toBe(200)
      return (JSON.parse(answer.body) as { events: number; counted: number }[])[0]!
    }

    test(`${KILLS} times kill -9 of the server during imports: every import is there once, whole, and nothing is left of its spool`, async () => {
      await ended(await submit('append'))
      const started = performance.now()
      await ended(await submit('append'))
      const usual = performance.now() - started
      let expected = 2 * (ROWS - BAD)
      let interrupted = 0
      for (let kill = 0; kill < KILLS; kill++) {
        const mode = kill % 3 === 2 ? 'replace' : 'append'
        const jobId = await submit(mode)
        await sleep(((kill + 0.5) / KILLS) * usual)
        await server.kill('server')
        await server.start()
        const job = await ended(jobId)
        expect(job.status).toBe('completed')
        if (job.attempt > 1) interrupted += 1
        expected = mode === 'replace' ? ROWS - BAD : expected + ROWS - BAD
        expect(await totals(), `after kill ${kill}`).toEqual({ events: expected, counted: expected })
      }
      expect(interrupted).toBeGreaterThan(KILLS / 4)
      expect(readdirSync(join(directory, 'data/warehouse/default/imports'))).toEqual([])
    }, 600_000)

    const stagedBy = (jobId: string): readonly string[] =>
      readdirSync(join(directory, 'data/warehouse/default'), { recursive: true, encoding: 'utf8' }).filter(path =>
        path.includes(`stg_${jobId.replaceAll('-', '')}_1`),
      )

    test('kill -9 during an import of 160 MiB: nothing is visible, its staging is removed, and in the end all is there', async () => {
      for (const isThere of [
        () => readdirSync(join(directory, 'data/warehouse/default/imports')).length > 0,
        (id: string) => stagedBy(id).length > 0,
      ]) {
        const { events: former } = await totals()
        const jobId = await submit('append', 'large.csv')
        await expect.poll(() => isThere(jobId), { timeout: 30_000, interval: 5 }).toBe(true)
        await sleep(200)
        await server.kill('server')
        await server.start()
        expect(await getJob(server.url, jobId)).not.toMatchObject({ status: 'completed' })
        expect(await totals()).toEqual({ events: former, counted: former })
        await expect.poll(() => stagedBy(jobId), { timeout: 10_000 }).toEqual([])
        expect(await ended(jobId)).toMatchObject({ status: 'completed', attempt: 2 })
        expect(await totals()).toEqual({ events: former + LARGE_ROWS, counted: former + LARGE_ROWS })
      }
      expect(readdirSync(join(directory, 'data/warehouse/default/imports'))).toEqual([])
    }, 180_000)
  })
}

function* largeContent(): Generator<Buffer> {
  yield Buffer.from('n,text\n')
  for (let chunk = 0; chunk < LARGE_CHUNKS; chunk++) yield LARGE_CHUNK
}
