import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { api, type ServeProcess, start, startServe } from './millrace.ts'

let server: ServeProcess
let slow: Server
let release = Promise.withResolvers<void>()
beforeAll(async () => {
  server = await startServe(['--shutdown-grace', '1s'])
  writeFileSync(join(server.cwd, 'job.json'), JSON.stringify({ name: 'submitted', command: 'sleep 60' }))
  const port = Number(new URL(JSON.parse(readFileSync(join(server.cwd, 'data/server.json'), 'utf8')).url).port)
  // A proxy that holds back answers until the test releases them.
  slow = createServer(client => {
    const upstream = connect(port, '127.0.0.1')
    client.on('data', chunk => upstream.write(chunk))
    upstream.on('data', chunk => void release.promise.then(() => client.write(chunk)))
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(slow, 'listening')
})
afterAll(async () => {
  slow?.close()
  await server?.stop()
})

const begin = (args: readonly string[]) => {
  release = Promise.withResolvers()
  const { port } = slow.address() as { port: number }
  const token = readFileSync(join(server.cwd, 'data/admin-token'), 'utf8').trim()
  const environment = { MILLRACE_URL: `http://127.0.0.1:${port}`, MILLRACE_TOKEN: token }
  const child = start(args, { cwd: server.cwd, environment })
  let stderr = ''
  child.stderr!.on('data', chunk => {
    stderr += chunk
  })
  return { child, words: () => stderr, ended: once(child, 'exit') }
}
const job = async (name: string) => (await api(server.cwd, 'GET', `/v1/jobs?name=${name}`)).jobs[0]

test.each([
  ['a query', ['query', '--name', 'asked', 'SELECT count() FROM numbers(1000000000000) WHERE sleep(1) = 0'], 'asked'],
  ['a command', ['run', '--name', 'ran', '--', 'sleep', '60'], 'ran'],
  ['a job of a file', ['submit', 'job.json', '--follow'], 'submitted'],
])('Ctrl-C before the server has answered cancels %s that it has already accepted', async (_, args, name) => {
  const { child, words, ended } = begin(args)
  await expect.poll(() => job(name), { timeout: 20_000 }).toBeDefined()
  child.kill('SIGINT')
  await expect.poll(words).toContain('when the server has answered')
  release.resolve()
  expect(await ended).toEqual([130, null])
  expect(words()).toContain('millrace: cancelling')
  await expect.poll(async () => (await job(name)).status).toBe('cancelled')
})

test('a second Ctrl-C exits at once', async () => {
  const { child, words, ended } = begin(['run', '--name', 'left', '--', 'sleep', '60'])
  await expect.poll(() => job('left'), { timeout: 20_000 }).toBeDefined()
  child.kill('SIGINT')
  await expect.poll(words).toContain('again to leave it')
  const presses = setInterval(() => child.kill('SIGINT'), 200)
  expect(await ended).toEqual([130, null])
  clearInterval(presses)
  await api(server.cwd, 'POST', `/v1/jobs/${(await job('left')).job_id}/cancel`)
})

const importOf = async () => (await api(server.cwd, 'GET', '/v1/jobs?kind=import')).jobs[0]

test('Ctrl-C while content is sent leaves no import', async () => {
  const stored = () => readdirSync(join(server.cwd, 'data/blobs'), { recursive: true }).length
  const before = stored()
  const { child, ended } = begin(['import', '-', 'rows', '--create'])
  child.stdin!.write('n\n1\n')
  await expect.poll(stored, { timeout: 20_000 }).toBeGreaterThan(before)
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
  expect(await importOf()).toBeUndefined()
})

test('Ctrl-C after content was sent cancels its import', async () => {
  // They take all slots, so that it does not start.
  const jobs = Array.from({ length: 4 }, () => ({ command: 'sleep 60' }))
  await api(server.cwd, 'POST', '/v1/jobs/batch', { jobs })
  const { child, words, ended } = begin(['import', '-', 'rows', '--create'])
  child.stdin!.end('n\n1\n')
  await expect.poll(importOf, { timeout: 20_000 }).toBeDefined()
  child.kill('SIGINT')
  await expect.poll(words).toContain('when the server has answered')
  release.resolve()
  expect(await ended).toEqual([130, null])
  expect((await importOf()).status).toBe('cancelled')
  await api(server.cwd, 'POST', '/v1/jobs/cancel')
})
