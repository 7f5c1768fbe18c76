import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { WarehouseError } from '../../src/warehouse/warehouse.ts'
import { call, enginesOf, isAlive, openTestEngines, until } from './engine-call.ts'

describe('the life of embedded engines', () => {
  const shared = openTestEngines()
  const { engines } = shared
  afterAll(() => shared.close())

  it('starts one process for many concurrent requests, and keeps it', async () => {
    const addresses = await Promise.all(Array.from({ length: 8 }, () => engines.address('one')))
    expect(new Set(addresses.map(({ pid }) => pid)).size).toBe(1)
    expect(enginesOf(shared.dataDir)).toHaveLength(1)
    expect((await engines.address('one')).pid).toBe(addresses[0]!.pid)
    expect(addresses[0]!.version).toMatch(/^\d+\.\d+\.\d+/)
  })

  it('puts its socket into a private folder', async () => {
    const { socketPath } = await engines.address('one')
    expect(Buffer.byteLength(socketPath)).toBeLessThanOrEqual(107)
    expect(statSync(dirname(socketPath)).mode & 0o777).toBe(0o700)
  })

  it('separates the tables of two workspaces', async () => {
    const [one, two] = await Promise.all([engines.address('one'), engines.address('two')])
    expect(one.pid).not.toBe(two.pid)
    await call(one, 'CREATE TABLE live.mine (a UInt8) ENGINE = MergeTree ORDER BY a')
    const answer = await call(two, 'SELECT * FROM live.mine')
    expect(answer.status).toBe(404)
    expect(answer.headers['x-clickhouse-exception-code']).toBe('60')
  })

  it('refuses a workspace whose name is not a plain folder name', async () => {
    await expect(engines.address('../one')).rejects.toThrow(/folder/)
    await expect(engines.address('')).rejects.toThrow(/folder/)
  })

  it('reports no problem as long as engines can start', () => {
    expect(engines.problem()).toBeNull()
  })

  it('reports what to install if the package is missing', async () => {
    const bare = openTestEngines({ packageName: 'chdb-that-is-not-there' })
    const failure = await bare.engines.address('w').catch((error: unknown) => error)
    expect(failure).toMatchObject({ reason: 'engine_unavailable' })
    expect((failure as Error).message).toContain('npm install chdb')
    expect(bare.engines.problem()).toContain('npm install chdb')
    await bare.close()
  })

  it('stops an unused engine, and restarts it with its data', async () => {
    const idle = openTestEngines({ idleMs: 200 })
    try {
      const first = await idle.engines.address('w')
      await call(first, 'CREATE TABLE live.t (a UInt8) ENGINE = MergeTree ORDER BY a')
      await call(first, 'INSERT INTO live.t VALUES (7)')
      await until('the idle engine ends', () => !isAlive(first.pid))
      const second = await idle.engines.address('w')
      expect(second.pid).not.toBe(first.pid)
      expect((await call(second, 'SELECT a FROM live.t')).body).toBe('7\n')
    } finally {
      await idle.close()
    }
  })

  it('keeps nothing of statements that end beside a long-running one', async () => {
    const address = await engines.address('one')
    const long = call(address, 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1', {
      query_id: 'long',
      max_threads: '1',
    })
    const statements = async (count: number): Promise<void> => {
      const some = async () => {
        for (let at = 0; at < count / 4; at++) expect((await call(address, 'SELECT 1')).body).toBe('1\n')
      }
      await Promise.all(Array.from({ length: 4 }, some))
    }
    const mebibytes = (): number =>
      Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${address.pid}/status`, 'utf8'))![1]) / 1024
    await statements(200)
    const before = mebibytes()
    await statements(1200)
    // A quarter of a MiB and more of each was kept.
    expect(mebibytes() - before).toBeLessThan(100)
    await call(address, "KILL QUERY WHERE query_id = 'long' ASYNC")
    expect((await long).body).toContain('QUERY_WAS_CANCELLED')
  })

  it('does not stop an engine while a statement runs', async () => {
    const idle = openTestEngines({ idleMs: 100 })
    try {
      const address = await idle.engines.address('w')
      const answer = await call(address, 'SELECT sleep(1.5)')
      expect(answer.body).toBe('0\n')
    } finally {
      await idle.close()
    }
  })

  it('stops its processes when it is closed, and starts none afterwards', async () => {
    const closing = openTestEngines()
    const { pid } = await closing.engines.address('w')
    await closing.close()
    expect(isAlive(pid)).toBe(false)
    await expect(closing.engines.address('w')).rejects.toBeInstanceOf(WarehouseError)
  })

  it('reports the message of an engine that could not start', async () => {
    const blocked = openTestEngines()
    try {
      const before = await blocked.engines.address('w')
      process.kill(before.pid, 'SIGKILL')
      await until('it ends', () => !isAlive(before.pid))
      // A file of another kind where chDB wants a folder.
      rmSync(join(blocked.dataDir, 'warehouse/w/data/metadata'), { recursive: true })
      writeFileSync(join(blocked.dataDir, 'warehouse/w/data/metadata'), 'no folder')
      let failure: unknown = before
      // The server learns of the exit a moment later.
      await until('a new one is started', async () => {
        failure = await blocked.engines.address('w').catch((error: unknown) => error)
        return !(failure !== null && typeof failure === 'object' && 'pid' in failure && failure.pid === before.pid)
      })
      expect(failure).toMatchObject({ reason: 'engine_unavailable' })
      expect(blocked.engines.problem()).toMatch(/workspace w did not start: it ended \(1\): .*metadata/)
      // On one line, without a stack or a path of this machine.
      expect(blocked.engines.problem()).not.toMatch(/\n| at .*:\d+:\d+|node_modules/)
      expect(blocked.engines.problem()).not.toContain(blocked.dataDir)
    } finally {
      await blocked.close()
    }
  })
})

describe('an engine and the death of its server', () => {
  it('stops with a server that is killed, and the next server takes over the directory', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'engine-'))
    const server = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', SERVER, dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(server.stdout.setEncoding('utf8'), 'data')) as [string]
    const pid = Number(line)
    expect(isAlive(pid)).toBe(true)
    server.kill('SIGKILL')
    const next = openTestEngines({ dataDir })
    try {
      const address = await next.engines.address('w')
      expect((await call(address, 'SELECT a FROM live.t')).body).toBe('1\n')
      expect(isAlive(pid)).toBe(false)
      expect(enginesOf(dataDir)).toEqual([address.pid])
    } finally {
      await next.close()
    }
    expect(existsSync(dataDir)).toBe(false)
  })
})

/** Starts an engine with a table, prints its process id, and then starts a statement that would run for long. */
const SERVER = new URL('./engine-server.ts', import.meta.url).pathname
