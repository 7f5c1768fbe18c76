import { afterAll, beforeAll, expect } from 'vitest'
import { type DataScene, materialized, openDataScene } from '../data/scene.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape; what a test reads of them, it asserts
export type Json = any

/** Rows of the data source `facts`, one a day from 2026-01-01, with `n` from 0. */
export const ROWS = 90

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
export const form = (fields: Record<string, string>): string => String(new URLSearchParams(fields))

type Answer = { readonly status: number; readonly body: Json }

export type TinybirdScene = Pick<DataScene, 'call' | 'dataSource' | 'pipe' | 'token' | 'url'> & {
  /** Replaces the rows of a data source with the same columns by those of `facts`. */
  readonly fill: (datasource: string) => Promise<Json>
  readonly count: (name: string) => Promise<number>
  /** A POST with a body that is sent unchanged. */
  readonly post: (path: string, body: string, headers?: Record<string, string>) => Promise<Answer>
  /** The job of an answer once it has ended. */
  readonly ended: (answer: Answer) => Promise<Json>
}

/**
 * For the tests of a file: a server with the data sources `facts`, `days` and `copies`, the pipe `per_day`, of which the node `daily` is materialized
 * into `days`, and the pipe `snapshot`, which copies into `copies` what is below a parameter `most`.
 */
export const useTinybird = (): TinybirdScene => {
  let scene: DataScene
  const fill = (datasource: string) =>
    scene.run({
      query: `SELECT toDate('2026-01-01') + number AS day, number AS n FROM numbers(${ROWS})`,
      datasource,
      mode: 'replace',
    })
  beforeAll(async () => {
    scene = await openDataScene()
    await scene.dataSource('facts', { day: 'Date', n: 'UInt64' }, { partitionKey: 'toYYYYMM(day)', sortingKey: 'day' })
    await fill('facts')
    await scene.dataSource('days', { day: 'Date', n: 'UInt64' })
    await scene.pipe('per_day', [
      { name: 'plain', sql: 'SELECT * FROM facts' },
      { name: 'daily', sql: 'SELECT day, sum(n) AS n FROM plain GROUP BY day', role: materialized('days') },
    ])
    await scene.dataSource('copies', { day: 'Date', n: 'UInt64' })
    await scene.pipe('snapshot', [
      {
        name: 'now',
        sql: 'SELECT day, n FROM facts WHERE n < {most:UInt64}',
        role: { type: 'copy', into: 'copies', mode: 'append', schedule: null },
      },
    ])
  })
  afterAll(() => scene?.stop())

  return {
    get url() {
      return scene.url
    },
    get token() {
      return scene.token
    },
    call: (...request) => scene.call(...request),
    dataSource: (...given) => scene.dataSource(...given),
    pipe: (...given) => scene.pipe(...given),
    fill,
    count: async name => Number(await scene.value(`SELECT count() FROM ${name}`)),
    post: async (path, body, headers = FORM) => {
      const response = await fetch(scene.url + path, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${scene.token}`, ...headers },
      })
      return { status: response.status, body: (await response.json()) as Json }
    },
    ended: async ({ status, body }) => {
      expect(status, JSON.stringify(body)).toBe(200)
      await scene.call('GET', `/v1/jobs/${body.job_id}?wait=60`)
      return (await scene.call('GET', `/v0/jobs/${body.job_id}`)).body
    },
  }
}
