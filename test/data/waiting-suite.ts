import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { millisecondsAtOnce } from '../at-once.ts'
import { type DataScene, materialized, WORKSPACE } from './scene.ts'

/** Copies of one pipe wait for each other before they run. */
const COPIES = ['copy_1', 'copy_2', 'copy_3', 'copy_4']
const DAYS = 120

/** Jobs that wait for tables, with either store. `open` returns a server with that many slots. */
export const describeWaiting = (name: string, open: (slots: number) => Promise<DataScene>): void => {
  describe.each([2, 1])(`${name} and %i slots`, slots => {
    let scene: DataScene
    let directory: string
    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'millrace-gate-'))
      scene = await open(slots)
      await scene.dataSource('source', { day: 'Date', n: 'UInt64' }, { partitionKey: 'toYYYYMM(day)' })
      const rows = `SELECT toDate('2026-01-01') + number AS day, number AS n FROM numbers(${DAYS})`
      expect((await scene.run({ query: rows, datasource: 'source' })).error).toBeNull()
      await scene.pipe('slow', [
        {
          name: 'slowly',
          sql: 'SELECT day, sum(n + sleepEachRow(0.03)) AS n FROM source GROUP BY day',
          role: materialized('summed'),
        },
      ])
      for (const pipe of COPIES)
        await scene.pipe(pipe, [
          {
            name: `node_of_${pipe}`,
            sql: "SELECT toDate('2030-01-01') AS day, toUInt64(1) AS n",
            role: { type: 'copy', into: 'summed', mode: 'append', schedule: null },
          },
        ])
    }, 60_000)
    afterAll(async () => {
      await scene?.stop()
      rmSync(directory, { recursive: true, force: true })
    })

    const submit = async (body: unknown): Promise<string> => {
      const answer = await scene.call('POST', '/v1/jobs', body)
      expect(answer.status, JSON.stringify(answer.body)).toBe(201)
      return answer.body.job_id
    }
    const job = async (id: string, wait = 0) => (await scene.call('GET', `/v1/jobs/${id}?wait=${wait}`)).body

    /** Copies that wait for the job that writes the data source. */
    const waitingCopies = async (forWhom: string): Promise<readonly string[]> => {
      const ids = await Promise.all(COPIES.map(pipe => submit({ copy: { pipe } })))
      for (const id of ids)
        await expect
          .poll(async () => (await job(id)).progress?.message ?? null, { timeout: 20_000 })
          .toBe(`waits for ${forWhom}, which writes summed`)
      return ids
    }

    const cancelAtOnce = async (id: string, atOnce: number): Promise<void> => {
      const asked = performance.now()
      await scene.call('POST', `/v1/jobs/${id}/cancel`)
      expect(await job(id, 10)).toMatchObject({ status: 'cancelled' })
      expect(performance.now() - asked).toBeLessThan(atOnce)
    }

    const copied = async () => Number(await scene.value("SELECT count() FROM summed WHERE day = '2030-01-01'"))

    test('copies whose tables are free again wait for a slot without locking them, and are cancelled at once', async () => {
      const atOnce = await millisecondsAtOnce(() => scene.run({ command: 'true' }))
      const before = await copied()
      const lock = { workspace: WORKSPACE, holder: { callId: 'a call', heldMs: 60_000 } }
      const lockTables = () => scene.store.lockTables({ ...lock, tables: ['summed'] })
      await lockTables()
      const [cancelled, ...others] = await waitingCopies('a call')
      const gate = join(directory, 'gate')
      const commands = await Promise.all(
        Array.from({ length: slots }, () => submit({ command: `while [ ! -e ${gate} ]; do sleep 0.05; done` })),
      )
      for (const id of commands) await expect.poll(async () => (await job(id)).status).toBe('running')
      await scene.store.unlockTables(lock)
      // Longer than their interval for checking again.
      await sleep(1500)
      for (const id of others) expect(await job(id)).toMatchObject({ status: 'running' })
      expect(await lockTables()).toEqual({ type: 'locked' })
      await scene.store.unlockTables(lock)
      await cancelAtOnce(cancelled!, atOnce)
      writeFileSync(gate, '')
      for (const id of [...commands, ...others]) expect(await job(id, 60)).toMatchObject({ status: 'completed' })
      expect(await copied()).toBe(before + others.length)
    }, 60_000)

    // With one slot the populate uses it.
    if (slots > 1)
      test('copies that wait for a populate block no other job, and run right after it', async () => {
        const atOnce = await millisecondsAtOnce(() => scene.run({ command: 'true' }))
        const before = await copied()
        const populate = await submit({ populate: { pipe: 'slow' } })
        await expect
          .poll(async () => (await job(populate)).progress?.steps?.length ?? 0, { timeout: 30_000 })
          .toBeGreaterThan(0)
        const [cancelled, ...others] = await waitingCopies(`job ${populate}`)
        const command = await submit({ command: 'true' })
        expect(await job(command, 10)).toMatchObject({ status: 'completed' })
        await cancelAtOnce(cancelled!, atOnce)
        expect(await job(populate)).toMatchObject({ status: 'running' })
        for (const id of [populate, ...others]) expect(await job(id, 60)).toMatchObject({ status: 'completed' })
        for (const id of others) expect((await job(id)).progress?.message ?? '').not.toContain('waits')
        expect(await copied()).toBe(before + others.length)
        expect(await scene.value('SELECT uniqExact(day) FROM summed')).toBe(String(DAYS + 1))
        expect(await scene.staging()).toEqual([])
      }, 120_000)
  })
}
