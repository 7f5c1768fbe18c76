import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-sink-names-'))
  mkdirSync(join(folder, 'shop'))
  for (const name of ['list', 'product'])
    writeFileSync(join(folder, 'shop', `${name}.mjs`), 'export default () => null')
  server = await startTestServer({ settings: { 'functions-dir': folder } })
})
afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true })
})

const hook = (...apis_to_send: readonly string[]) => ({ type: 'webhook', url: 'https://receiver.test/', apis_to_send })

const errorsOf = async (path: string, json: object): Promise<Record<string, string>> => {
  const { status, body } = await server.call('POST', path, json)
  expect([status, body.code]).toEqual([422, 'invalid'])
  return Object.fromEntries(body.errors.map(({ path, message }: Record<string, string>) => [path, message]))
}

test('an unknown function is refused in the sinks of a job, of a workflow and of its items', async () => {
  const message = expect.stringContaining('did you mean "shop/product"?')
  const sinks = [hook('shop/list'), hook('shop/list', 'shop/prodct')]
  expect(await errorsOf('/v1/jobs', { api: 'shop/list', sinks })).toEqual({ 'sinks.1.apis_to_send.1': message })
  expect(await errorsOf('/v1/jobs/batch', { jobs: [{ api: 'shop/list' }, { api: 'shop/list', sinks }] })).toEqual({
    'jobs.1.sinks.1.apis_to_send.1': message,
  })
  const workflow = {
    name: 'x',
    payload: [{ api: 'shop/lst', sinks }, { command: 'true' }],
    sinks: [hook('shop/prodct')],
  }
  for (const path of ['/v1/workflows', '/v1/workflows/check'])
    expect(await errorsOf(path, workflow)).toEqual({
      'payload.0.api': expect.stringContaining('did you mean'),
      'payload.0.sinks.1.apis_to_send.1': message,
      'sinks.0.apis_to_send.0': message,
    })
})

test('an empty list of functions is refused, since it would never send anything', async () => {
  expect(Object.keys(await errorsOf('/v1/jobs', { api: 'shop/list', sinks: [hook()] }))).toEqual([
    'sinks.0.apis_to_send',
  ])
})

test('existing functions are accepted, and one that is removed later does not stop the others', async () => {
  const made = await server.call('POST', '/v1/workflows', {
    name: 'kept',
    payload: [{ api: 'shop/list', sinks: [hook('shop/product', 'shop/gone')] }],
    sinks: [hook('shop/gone')],
  })
  expect(made.status).toBe(422)
  writeFileSync(join(folder, 'shop/gone.mjs'), 'export default () => null')
  const kept = { name: 'kept', payload: [{ api: 'shop/list' }], sinks: [hook('shop/list', 'shop/gone')] }
  expect((await server.call('POST', '/v1/workflows', kept)).status).toBe(201)
  rmSync(join(folder, 'shop/gone.mjs'))
  await new Promise(resolve => setTimeout(resolve, 1100))
  expect((await server.call('POST', '/v1/workflows/kept/trigger')).status).toBe(201)
})
