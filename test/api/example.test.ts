import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { startTestServer, type TestServer } from '../server.ts'

const EXAMPLES = resolve(import.meta.dirname, '../../examples')

let shop: ChildProcess
let url: string
let server: TestServer
beforeAll(async () => {
  shop = spawn(process.execPath, [join(EXAMPLES, 'shop/serve.ts'), '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [text] = await once(shop.stdout!, 'data')
  url = String(text).trim()
  server = await startTestServer({ settings: { 'functions-dir': join(EXAMPLES, 'functions') } })
})
afterAll(async () => {
  await server?.stop()
  shop?.kill()
})

describe('the example functions', () => {
  test('hello greets, and its log and result can be read', async () => {
    const job = await server.run({ api: 'hello', parameters: { name: 'Ada' } })
    expect(job).toMatchObject({ status: 'completed', kind: 'api', result: { format: 'json' } })
    expect((await server.call('GET', `/v1/jobs/${job.job_id}/result`)).body).toEqual({ greeting: 'Hello, Ada!' })
    const { body } = await server.call('GET', `/v1/jobs/${job.job_id}/logs`)
    expect(body.lines).toMatchObject([{ stream: 'stdout', line: 'greeting Ada, attempt 1' }])
  })

  test('an unknown function is refused with similar names', async () => {
    const { status, body } = await server.call('POST', '/v1/jobs', { api: 'scrape/produkt' })
    expect(status).toBe(422)
    expect(body.errors).toEqual([{ path: 'api', message: expect.stringContaining('"scrape/product"') }])
  })

  test('a function may run for at most an hour, and for 10 minutes by default', async () => {
    const { status, body } = await server.call('POST', '/v1/jobs', { api: 'hello', timeout_seconds: 3601 })
    expect(status).toBe(422)
    expect(body.errors).toEqual([{ path: 'timeout_seconds', message: 'must be at most 3600' }])
  })

  test('the whole shop is scraped: pages add products and the next page to their run', async () => {
    const definition = parse(readFileSync(join(EXAMPLES, 'workflows/scrape.yaml'), 'utf8'))
    expect((await server.call('POST', '/v1/workflows', definition)).status).toBe(201)
    const triggered = await server.call('POST', '/v1/workflows/scrape-shop/trigger', { parameters: { url } })
    expect(triggered.status).toBe(201)
    const run = await waitForRun(triggered.body.run_id)
    expect(run).toMatchObject({ status: 'completed', counts: { completed: 23, failed: 0 } })
    const { body } = await server.call('GET', `/v1/runs/${run.run_id}/jobs?limit=100`)
    const products = body.jobs.filter((job: { spec: { api: string } }) => job.spec.api === 'scrape/product')
    const results = await Promise.all(
      products.map(
        async ({ job_id }: { job_id: string }) => (await server.call('GET', `/v1/jobs/${job_id}/result`)).body,
      ),
    )
    expect(results).toHaveLength(20)
    expect(new Set(results.map(({ sku }) => sku)).size).toBe(20)
    expect(results).toContainEqual({
      url: expect.stringContaining('/products/SKU-008'),
      sku: 'SKU-008',
      name: 'Old & New "Desk"',
      price: 27.25,
      in_stock: true,
    })
    const { body: kept } = await server.call('GET', `/v1/jobs/${products[0].job_id}/artifacts`)
    expect(kept.artifacts).toMatchObject([{ name: 'page.html' }])
  })
})

const waitForRun = async (runId: string) => {
  for (const end = performance.now() + 60_000; ; ) {
    const { body } = await server.call('GET', `/v1/runs/${runId}`)
    if (body.finished_at) return body
    if (performance.now() > end) throw new Error(`the run does not end: ${JSON.stringify(body)}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
