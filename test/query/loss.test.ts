import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startTestServer } from '../server.ts'

const ROOT = resolve(import.meta.dirname, '../..')

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-loss-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Engine processes with data below this directory, which is their working directory. */
const enginesOf = (dataDir: string): readonly number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => isEngineOf(pid, dataDir))
    .map(Number)

const isEngineOf = (pid: string, dataDir: string): boolean => {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(join(dataDir, 'warehouse'))
  } catch {
    return false
  }
}

test('a query whose engine is killed is retried as a system failure, and completes', async () => {
  const server = await startTestServer()
  try {
    const { body } = await server.call('POST', '/v1/jobs', { query: 'SELECT sleep(3), 42 AS answer', format: 'json' })
    const id = body.job_id
    const isRunning = () => server.warehouse.progress({ workspace: 'default', queryId: `${id}.1` })
    await expect.poll(isRunning, { timeout: 30_000 }).not.toBeNull()
    const [engine, ...others] = enginesOf(server.dataDir)
    expect(others).toEqual([])
    process.kill(engine!, 'SIGKILL')
    const { body: job } = await server.call('GET', `/v1/jobs/${id}?wait=60`)
    expect(job).toMatchObject({ status: 'completed', attempt: 2, system_attempts: 1 })
    const { attempts } = (await server.call('GET', `/v1/jobs/${id}/attempts`)).body
    expect(attempts[0]).toMatchObject({ outcome: 'failed', reason: 'engine_lost' })
    expect((await server.call('GET', `/v1/jobs/${id}/result`)).body).toEqual([{ 'sleep(3)': 0, answer: 42 }])
  } finally {
    await server.stop()
  }
  expect(enginesOf(server.dataDir)).toEqual([])
})

test('a job that must not be restarted fails when its engine is killed', async () => {
  const server = await startTestServer()
  try {
    const { body } = await server.call('POST', '/v1/jobs', { query: 'SELECT sleep(3)', restartable: false })
    const isRunning = () => server.warehouse.progress({ workspace: 'default', queryId: `${body.job_id}.1` })
    await expect.poll(isRunning, { timeout: 30_000 }).not.toBeNull()
    process.kill(enginesOf(server.dataDir)[0]!, 'SIGKILL')
    const { body: job } = await server.call('GET', `/v1/jobs/${body.job_id}?wait=60`)
    expect(job).toMatchObject({ status: 'failed', status_reason: 'engine_lost', attempt: 1 })
  } finally {
    await server.stop()
  }
})

test('an unreachable ClickHouse server fails only data jobs, and /readyz says so', async () => {
  const server = await startTestServer({ settings: { 'clickhouse-url': 'http://127.0.0.1:9/millrace' } })
  try {
    const job = await server.run({ query: 'SELECT 1' })
    expect(job.status).toBe('failed')
    expect(['engine_lost', 'engine_unavailable']).toContain(job.status_reason)
    expect(job.system_attempts).toBe(3)
    expect((await server.run({ command: 'true' })).status).toBe('completed')
    expect(await partOf(server.url, 'query')).toMatchObject({ status: 'unavailable' })
    const refused = await server.call('POST', '/v1/sql', { query: 'SELECT 1' })
    expect(refused.status).toBe(503)
  } finally {
    await server.stop()
  }
})

const partOf = async (url: string, name: string) => {
  const response = await fetch(`${url}/readyz`)
  expect(response.status).toBe(200)
  const { parts } = (await response.json()) as {
    parts: { part: string; status: string; problems: { message: string }[] }[]
  }
  return parts.find(({ part }) => part === name)
}

/** The program with all its packages except chdb. */
const installWithoutChdb = (target: string): void => {
  cpSync(join(ROOT, 'src'), join(target, 'src'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(target, 'package.json'))
  mkdirSync(join(target, 'node_modules'))
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (name !== 'chdb' && name !== '@chdb')
      symlinkSync(join(ROOT, 'node_modules', name), join(target, 'node_modules', name))
}

const serve = async (target: string): Promise<{ child: ChildProcess; url: string; token: string }> => {
  const flags = [
    '--disable-warning=ExperimentalWarning',
    'src/cli/main.ts',
    'serve',
    '--port',
    '0',
    '--log-level',
    'silent',
  ]
  const child = spawn(process.execPath, flags, { cwd: target, env: { PATH: process.env.PATH }, stdio: 'ignore' })
  const ready = () => readFileSync(join(target, 'data/server.json'), 'utf8')
  await expect
    .poll(
      () => {
        try {
          return ready()
        } catch {
          return ''
        }
      },
      { timeout: 30_000 },
    )
    .not.toBe('')
  const token = readFileSync(join(target, 'data/admin-token'), 'utf8').trim()
  return { child, url: JSON.parse(ready()).url, token }
}

test('without the chdb package only data jobs fail, and say what to install', async () => {
  installWithoutChdb(directory)
  const { child, url, token } = await serve(directory)
  try {
    const run = async (body: object) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const made = await fetch(`${url}/v1/jobs`, { method: 'POST', headers, body: JSON.stringify(body) })
      const { job_id } = (await made.json()) as { job_id: string }
      const answer = await fetch(`${url}/v1/jobs/${job_id}?wait=30`, { headers })
      return (await answer.json()) as { status: string; error: unknown }
    }
    expect(await run({ query: 'SELECT 1' })).toMatchObject({
      status: 'failed',
      error: { code: 'engine_unavailable', message: expect.stringContaining('npm install chdb') },
    })
    expect(await run({ command: 'true' })).toMatchObject({ status: 'completed' })
    const part = await partOf(url, 'query')
    expect(part?.status).toBe('unavailable')
    expect(part?.problems[0]?.message).toContain('npm install chdb')
  } finally {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
})
