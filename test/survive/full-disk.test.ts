import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { canMount, mountSmallDisk, type SmallDisk } from './small-disk.ts'

describe.skipIf(!canMount)('on a full disk (needs root to mount one)', () => {
  let disk: SmallDisk
  let server: TestServer

  beforeAll(async () => {
    disk = mountSmallDisk(48)
    server = await startTestServer({ dataDir: disk.path })
  })
  afterAll(async () => {
    disk.drain()
    await server.stop()
    disk.unmount()
  })

  /** New jobs are accepted again when there is also space for their ends. */
  const untilAccepting = () =>
    expect
      .poll(async () => (await server.call('POST', '/v1/jobs', { command: 'true' })).status, { timeout: 20_000 })
      .toBe(201)

  test('a job that logs fails with disk_full, what it wrote before stays, and the server keeps running', async () => {
    const job = await server.run({ command: 'echo before; head -c 200M /dev/urandom | base64' })
    expect(job).toMatchObject({ status: 'failed', status_reason: 'disk_full' })
    expect((await server.call('GET', '/healthz')).status).toBe(200)
    const log = await server.call('GET', `/v1/jobs/${job.job_id}/logs?limit=1`)
    expect(log.body.lines[0].line).toBe('before')
    expect((await server.call('POST', `/v1/jobs/${job.job_id}/purge`)).status).toBe(204)
    await untilAccepting()
    const next = await server.run({ command: 'echo after' })
    expect(next.status).toBe('completed')
  })

  test('an upload is refused with 507 and nothing of it is visible', async () => {
    await untilAccepting()
    const job = await server.run({ command: 'true' })
    const form = new FormData()
    form.append('file', new Blob([Buffer.alloc(100 * 1024 * 1024, 1)]), 'large.bin')
    const path = `/v1/jobs/${job.job_id}/artifacts`
    const answer = await fetch(server.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}` },
      body: form,
    })
    expect(answer.status).toBe(507)
    expect(await answer.json()).toMatchObject({ code: 'insufficient_storage' })
    expect((await server.call('GET', path)).body.artifacts).toEqual([])
    expect((await server.run({ command: 'echo still here' })).status).toBe('completed')
  })

  test('a collected artifact that does not fit fails its job with disk_full', async () => {
    await untilAccepting()
    const job = await server.run({ command: 'head -c 100M /dev/zero > big.bin', artifacts: ['*.bin'] })
    expect(job.status).toBe('failed')
    expect(['disk_full', 'exit_code']).toContain(job.status_reason) // the attempt's own directory is on that disk too
  })

  test('a query whose result does not fit fails with disk_full, and its partial result is removed', async () => {
    await untilAccepting()
    const job = await server.run({ query: 'SELECT number, toString(number) AS text FROM numbers(50000000)' })
    expect(job).toMatchObject({ status: 'failed', status_reason: 'disk_full', result: null })
    await untilAccepting()
    expect((await server.run({ query: 'SELECT 1' })).status).toBe('completed')
  })

  test('a submit is refused safely, and accepted again when there is space', async () => {
    disk.fill()
    const answers: number[] = []
    for (let index = 0; index < 20; index++) {
      const { status } = await server.call('POST', '/v1/jobs', { command: 'true', labels: { filler: 'x'.repeat(255) } })
      answers.push(status)
    }
    expect(answers.every(status => status === 201 || status === 507 || status === 503)).toBe(true)
    expect((await server.call('GET', '/healthz')).status).toBe(200)
    disk.drain()
    await untilAccepting()
    expect((await server.run({ command: 'echo again' })).status).toBe('completed')
  })

  test('/readyz reports the full disk, however often it is asked, until there is space', async () => {
    await untilAccepting()
    disk.fill()
    const isReady = async () => (await server.call('GET', '/readyz')).status
    // Other parts may report it earlier: the store can still use the space in its files.
    const store = async () => (await server.call('GET', '/readyz')).body.parts[0]
    await expect.poll(store, { timeout: 20_000 }).toMatchObject({
      part: 'store',
      status: 'unavailable',
      problems: [{ message: expect.stringMatching(/disk.* full/) }],
    })
    for (let asked = 0; asked < 40; asked++) expect(await isReady()).toBe(503)
    disk.drain()
    await expect.poll(isReady, { timeout: 20_000 }).toBe(200)
    expect((await server.run({ command: 'echo ready' })).status).toBe('completed')
  })
})
