import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const residentBytes = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024

test('a job that writes 5 GB without a newline keeps its log within the limit and the memory of the server bounded', async () => {
  const before = residentBytes()
  let peak = before
  const watch = setInterval(() => {
    peak = Math.max(peak, residentBytes())
  }, 50)
  const job = await server.run({ command: "head -c 5G /dev/zero | tr '\\0' x" })
  clearInterval(watch)
  expect(job).toMatchObject({ status: 'completed', exit_code: 0 })
  const { body } = await server.call('GET', `/v1/jobs/${job.job_id}/logs?tail=2`)
  expect(body.lines.at(-1)).toMatchObject({ stream: 'stderr', line: expect.stringContaining('log limit') })
  expect(Buffer.byteLength(body.lines[0].line)).toBeLessThanOrEqual(64 * 1024)
  expect(peak - before).toBeLessThan(256 * 1024 * 1024) // the garbage of this test process counts too; the bench measures the server alone
}, 180_000)

test('a command of 10 MB runs', async () => {
  const filler = '# '.padEnd(1023, 'x')
  const command = `${Array.from({ length: 10_240 }, () => filler).join('\n')}\necho end`
  const job = await server.run({ command })
  expect(job).toMatchObject({ status: 'completed', exit_code: 0 })
  expect((await server.call('GET', `/v1/jobs/${job.job_id}/logs`)).body.lines).toMatchObject([{ line: 'end' }])
})

test('a list with an argument longer than the system allows fails with a reason', async () => {
  const job = await server.run({ command: ['/bin/echo', 'x'.repeat(10 * 1024 * 1024)] })
  expect(job).toMatchObject({ status: 'failed', exit_code: null })
  expect(job.error.message).toMatch(/argument|long|E2BIG/i)
})

test('10,000 jobs submitted in one batch all end', async () => {
  const jobs = Array.from({ length: 10_000 }, () => ({ command: ['/bin/true'], labels: { batch: 'large' } }))
  const submitted = await server.call('POST', '/v1/jobs/batch', { jobs })
  expect(submitted.status).toBe(201)
  expect(new Set(submitted.body.jobs.map((job: { job_id: string }) => job.job_id)).size).toBe(10_000)
  const completed = async () =>
    (await server.call('GET', '/v1/jobs?label=batch:large&status=completed&limit=1&count=true')).body.count
  await expect.poll(completed, { timeout: 150_000, interval: 500 }).toBe(10_000)
}, 180_000)
