import { expect, test } from 'vitest'
import { call, getJob, submitJob, waitForEnd } from '../chaos/api.ts'
import {
  append,
  holdPublications,
  letLeasesRunOut,
  letPublicationsGo,
  openHomes,
  SOURCE,
  sql,
  untilPublications,
} from './homes.ts'

const homes = openHomes()

test('a server killed during a publication finishes it after its restart, and no other server does', async () => {
  const other = await homes.start('other')
  const home = await homes.createProcess()
  await home.start()
  try {
    const made = await call(home.url, '/v1/datasources', { method: 'POST', body: SOURCE })
    expect(made.status, made.body).toBe(201)
    const rows = async () =>
      JSON.parse(
        (await call(home.url, '/v1/sql', { method: 'POST', body: { query: 'SELECT count() AS n FROM events' } })).body,
      )
    await waitForEnd(home, await submitJob(home.url, append(0)))
    await holdPublications(homes.database())
    const jobId = await submitJob(home.url, append(1))
    await untilPublications(homes.database(), 2)
    await home.kill('server')
    await letPublicationsGo(homes.database())
    await letLeasesRunOut(homes.database())
    await expect
      .poll(async () => (await getJob(other.url, jobId))?.status, { timeout: 40_000, interval: 200 })
      .toBe('queued')
    // The other server claims jobs all the while, but not this one.
    for (let n = 0; n < 4; n++) expect(await other.run({ command: 'sleep 0.5' })).toMatchObject({ status: 'completed' })
    expect((await sql(other)).status).toBe(503)
    expect(await getJob(other.url, jobId)).toMatchObject({ status: 'queued' })
    await home.start()
    expect(await waitForEnd(home, jobId)).toMatchObject({ status: 'completed' })
    expect(await rows()).toEqual([{ n: '2' }])
  } finally {
    await home.stop()
  }
}, 120_000)

test('an unfinished publication of a former home is repeated where the tables are now', async () => {
  const home = await homes.createProcess()
  await home.start()
  try {
    expect((await call(home.url, '/v1/datasources', { method: 'POST', body: SOURCE })).status).toBe(201)
    await holdPublications(homes.database())
    const jobId = await submitJob(home.url, append(1))
    await untilPublications(homes.database(), 1)
    await home.kill('server')
    await letPublicationsGo(homes.database())
    await letLeasesRunOut(homes.database())
    const next = await homes.start('next', { 'take-over-tables': 'true' })
    expect(await waitForEnd(next, jobId)).toMatchObject({ status: 'completed' })
    expect((await sql(next)).body).toEqual([{ n: [1] }])
  } finally {
    await home.stop()
  }
}, 120_000)
