import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EngineAddress } from '../../src/warehouse/embedded/embedded-engines.ts'
import { call, enginesOf, isAlive, open, openTestEngines, until } from './engine-call.ts'

describe('an engine that is lost', () => {
  it('breaks off its responses, and is restarted for the next statement', async () => {
    const { engines, dataDir, close } = openTestEngines()
    try {
      const first = await engines.address('w')
      await call(first, 'CREATE TABLE live.t (a UInt8) ENGINE = MergeTree ORDER BY a')
      await call(first, 'INSERT INTO live.t VALUES (3)')
      const waiting = call(first, 'SELECT count() FROM numbers(1000000000000)').catch((error: unknown) => error)
      const reading = await open(first, 'SELECT number FROM numbers(1000000000000)')
      process.kill(first.pid, 'SIGKILL')
      expect(await waiting).toMatchObject({ code: 'ECONNRESET' })
      const read = async () => {
        for await (const _ of reading);
      }
      await expect(read()).rejects.toThrow(/aborted/)
      await until('another runs', async () => (await engines.address('w')).pid !== first.pid)
      const second = await engines.address('w')
      expect((await call(second, 'SELECT a FROM live.t')).body).toBe('3\n')
      expect(enginesOf(dataDir)).toEqual([second.pid])
    } finally {
      await close()
    }
  })

  it('keeps finished inserts, however often it dies during others', async () => {
    const { engines, close } = openTestEngines()
    try {
      await call(await engines.address('w'), 'CREATE TABLE live.t (n UInt64) ENGINE = MergeTree ORDER BY n')
      for (let round = 1; round <= 3; round++) {
        const address = await engines.address('w')
        expect((await call(address, 'INSERT INTO live.t SELECT number FROM numbers(1000)')).status).toBe(200)
        const half = call(
          address,
          'INSERT INTO live.t SELECT number FROM numbers(1000000000) WHERE sleepEachRow(0.001) = 0',
        )
        half.catch(() => {})
        process.kill(address.pid, 'SIGKILL')
        await expect(half).rejects.toThrow()
        await until('another runs', async () => (await engines.address('w')).pid !== address.pid)
      }
      const answer = await call(await engines.address('w'), 'SELECT count() FROM live.t')
      expect(answer.body).toBe('3000\n')
    } finally {
      await close()
    }
  })

  it.each(['SIGSEGV', 'SIGABRT'] as const)('exits on a fault of its own (%s), which chDB would catch', async fault => {
    const { engines, close } = openTestEngines()
    try {
      const address = await engines.address('w')
      const running = call(address, 'SELECT sleep(3), sleep(3)')
      running.catch(() => {})
      process.kill(address.pid, fault)
      await until('the process ends', () => !isAlive(address.pid))
      await expect(running).rejects.toThrow()
      await until('another runs', async () => (await engines.address('w')).pid !== address.pid)
      expect((await call(await engines.address('w'), 'SELECT 1')).body).toBe('1\n')
    } finally {
      await close()
    }
  })

  it('is killed when a statement ignores its cancel', async () => {
    const { engines, close } = openTestEngines({ killGraceMs: 300 })
    try {
      const address = await engines.address('w')
      // A single `sleep` looks at nothing while it sleeps.
      const running = call(address, 'SELECT sleep(3), sleep(3), sleep(3)', { query_id: 'deaf' })
      running.catch(() => {})
      await until('it runs', async () =>
        (await call(address, "SELECT count() FROM system.processes WHERE query_id = 'deaf'")).body.startsWith('1'),
      )
      await call(address, "KILL QUERY WHERE query_id = 'deaf' ASYNC").catch(() => {})
      await until('the process ends', () => !isAlive(address.pid), 10_000)
      await expect(running).rejects.toThrow()
      await until('another runs', async () => (await engines.address('w')).pid !== address.pid)
      expect((await call(await engines.address('w'), 'SELECT 1')).body).toBe('1\n')
    } finally {
      await close()
    }
  })

  it('survives a statement that runs out of memory', async () => {
    const { engines, close } = openTestEngines({ memoryBytes: 700 * 2 ** 20 })
    try {
      const address = await engines.address('w')
      const answer = await call(address, 'SELECT length(groupArray(number)) FROM numbers(1000000000)')
      expect(answer.headers['x-clickhouse-exception-code']).toBe('241')
      expect((await call(await engines.address('w'), 'SELECT 1')).body).toBe('1\n')
      expect((await engines.address('w')).pid).toBe(address.pid)
    } finally {
      await close()
    }
  })
})

describe.skipIf(process.platform !== 'linux')('the second sandbox around an engine (Landlock, so Linux only)', () => {
  const { engines, dataDir, close } = openTestEngines()
  const outside = mkdtempSync(join(tmpdir(), 'outside-'))
  let address: EngineAddress
  let other: EngineAddress
  beforeAll(async () => {
    writeFileSync(join(outside, 'secret.csv'), '1\n')
    ;[address, other] = await Promise.all([engines.address('w'), engines.address('other')])
  })
  afterAll(async () => {
    await close()
    rmSync(outside, { recursive: true, force: true })
  })

  const refused = async (sql: string): Promise<string> => {
    const { status, body } = await call(address, sql)
    expect(status, sql).not.toBe(200)
    return body
  }

  it('is active', () => {
    expect(engines.warning()).toBeNull()
  })

  it('hides the files of the machine, the server and other workspaces', async () => {
    const mine = join(dataDir, 'warehouse/other/data')
    mkdirSync(join(dataDir, 'blobs'))
    writeFileSync(join(dataDir, 'blobs/x.csv'), '1\n')
    await call(other, 'CREATE TABLE live.t (a UInt8) ENGINE = MergeTree ORDER BY a')
    for (const path of [
      '/etc/passwd',
      join(outside, 'secret.csv'),
      join(dataDir, 'blobs/x.csv'),
      `/proc/${process.pid}/environ`,
    ])
      expect(await refused(`SELECT * FROM file('${path}', 'LineAsString')`)).toMatch(/Permission denied/)
    await refused(`SELECT * FROM file('${mine}/metadata/live.sql', 'LineAsString')`)
  })

  it('allows no writes outside the folder', async () => {
    const path = join(outside, 'written.csv')
    await refused(`INSERT INTO FUNCTION file('${path}', 'CSV') SELECT 1`)
    await refused(`SELECT 1 INTO OUTFILE '${path}'`)
    await refused(`DESCRIBE TABLE (SELECT 1) INTO OUTFILE '${path}' FORMAT CSV`)
    expect(existsSync(path)).toBe(false)
  })

  it('allows no connections', async () => {
    let connections = 0
    const server = createServer((_, response) => response.end('1\n')).on('connection', () => connections++)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    await refused(`SELECT * FROM url('http://127.0.0.1:${port}/x', 'CSV', 'a UInt8') SETTINGS http_max_tries = 1`)
    server.close()
    expect(connections).toBe(0)
  })

  it('leaves chDB everything it needs, such as moving parts between folders', async () => {
    for (const sql of [
      'CREATE TABLE live.a (n UInt8) ENGINE = MergeTree ORDER BY n PARTITION BY n',
      'CREATE TABLE live.b AS live.a',
      'INSERT INTO live.a SELECT number FROM numbers(3)',
      'ALTER TABLE live.b ATTACH PARTITION ALL FROM live.a',
      'EXCHANGE TABLES live.a AND live.b',
      'ALTER TABLE live.a DETACH PARTITION 1',
      'ALTER TABLE live.a ATTACH PARTITION 1',
      'RENAME TABLE live.b TO live.c',
      'OPTIMIZE TABLE live.a FINAL',
      'DROP TABLE live.c SYNC',
    ])
      expect(await call(address, sql), sql).toMatchObject({ status: 200 })
    expect((await call(address, 'SELECT count() FROM live.a')).body).toBe('3\n')
  })
})

const hasPrlimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0

describe.skipIf(!hasPrlimit)(`an engine that cannot write its files${hasPrlimit ? '' : ' (needs prlimit)'}`, () => {
  it('fails incomplete inserts and tables, which chDB reports as a success', async () => {
    const { engines, close } = openTestEngines()
    try {
      const address = await engines.address('w')
      const mayWrite = (bytes: number | string): void => {
        expect(spawnSync('prlimit', [`--pid=${address.pid}`, `--fsize=${bytes}:`]).status).toBe(0)
      }
      await call(address, 'CREATE TABLE live.t (n UInt64) ENGINE = MergeTree ORDER BY n')
      for (const sql of [
        'INSERT INTO live.t SELECT rand64() FROM numbers(100000)',
        'CREATE TABLE live.other (n UInt64) ENGINE = MergeTree ORDER BY n',
      ]) {
        mayWrite(100)
        const answer = await call(address, sql)
        mayWrite('unlimited')
        expect(answer.body).toMatch(/^Code: 243\. .*NOT_ENOUGH_SPACE/)
      }
      expect((await call(address, 'INSERT INTO live.t VALUES (1)')).status).toBe(200)
    } finally {
      await close()
    }
  })
})
