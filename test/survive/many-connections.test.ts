import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { api, printed } from '../cli/millrace.ts'

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts')
const FILES = 256

const cwd = mkdtempSync(join(tmpdir(), 'millrace-connections-'))
const serve = [MAIN, 'serve', '--port', '0', '--shutdown-grace', '1s']
const server = spawn('/bin/sh', ['-c', `ulimit -n ${FILES} && exec "$@"`, 'sh', process.execPath, ...serve], {
  cwd,
  env: { PATH: process.env.PATH, HOME: cwd },
})
const exit = once(server, 'exit')
let port: number
beforeAll(async () => {
  const welcome = await printed(server.stdout, /A first job[\s\S]*\n\n/)
  port = Number(/127\.0\.0\.1:(\d+)/.exec(welcome)![1])
})
afterAll(async () => {
  server.kill('SIGTERM')
  await exit
  rmSync(cwd, { recursive: true, force: true })
})

/** Opens connections that begin a request and never end it; those that are refused are opened again. */
const hold = (count: number): (() => void) => {
  const sockets = new Set<Socket>()
  let over = false
  const open = (): void => {
    if (over) return
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    sockets.add(socket)
    socket.write('POST /v1/jobs HTTP/1.1\r\nHost: x\r\nX: ')
    socket.on('close', () => {
      sockets.delete(socket)
      setTimeout(open, 50)
    })
  }
  for (let at = 0; at < count; at++) open()
  return () => {
    over = true
    for (const socket of sockets) socket.destroy()
  }
}

const descriptors = (): number => readdirSync(`/proc/${server.pid}/fd`).length

test('idle connections take no descriptors from jobs: due jobs run, even those that need an engine', async () => {
  const before = descriptors()
  const scheduled_at = new Date(Date.now() + 3000).toISOString()
  const bodies = [
    ...Array.from({ length: 10 }, () => ({ command: 'echo made > made.txt', artifacts: ['*.txt'], scheduled_at })),
    { query: 'SELECT 1', scheduled_at },
  ]
  const { jobs } = await api(cwd, 'POST', '/v1/jobs/batch', { jobs: bodies })
  const leave = hold(2 * FILES)
  await expect.poll(descriptors).toBeGreaterThan(before + FILES / 4)
  await expect
    .poll(() => Date.now(), { timeout: 20_000, interval: 500 })
    .toBeGreaterThan(Date.parse(scheduled_at) + 5000)
  expect(descriptors()).toBeLessThan(FILES)
  leave()
  expect(server.exitCode).toBeNull()
  await expect.poll(descriptors, { timeout: 10_000 }).toBeLessThan(before + FILES / 4)
  for (const { job_id } of jobs) {
    const job = await api(cwd, 'GET', `/v1/jobs/${job_id}?wait=30`)
    expect([job.status, job.attempt]).toEqual(['completed', 1])
  }
}, 60_000)
