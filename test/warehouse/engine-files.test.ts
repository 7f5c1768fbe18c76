import { createHash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ClickHouseSettings } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GrowingFile } from '../../src/kernel/growing-file.ts'
import type { EngineAddress } from '../../src/warehouse/embedded/embedded-engines.ts'
import { type Answer, call, open, openClient, openTestEngines, until } from './engine-call.ts'

const { engines, dataDir, close } = openTestEngines()
let address: EngineAddress
beforeAll(async () => {
  address = await engines.address('w')
})
afterAll(close)

const intoFile = async (sql: string, at = address, parameters: Record<string, string> = {}): Promise<GrowingFile> => {
  const file = await at.resultFiles.create()
  const answer = call(at, sql, { ...parameters, ...file.parameters }).then(failOnError)
  return file.follow({ answer, leave: () => {} })
}

const failOnError = (answer: Answer): Answer => {
  if (answer.status !== 200) throw new Error(answer.body)
  return answer
}

const hashOf = async (content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> => {
  const hash = createHash('sha256')
  for await (const part of content) hash.update(part)
  return hash.digest('hex')
}

const textOf = async (content: AsyncIterable<Uint8Array>): Promise<string> =>
  Buffer.concat(await Array.fromAsync(content)).toString()

const spooled = (dataDirOf = dataDir, workspace = 'w'): readonly string[] =>
  readdirSync(join(dataDirOf, 'warehouse', workspace, 'spool')).filter(name => name.startsWith('result'))

describe('a result as a file', () => {
  it.each(['RowBinary', 'Arrow', 'ArrowStream', 'CSVWithNames', 'JSONEachRow'])(
    'equals the result in the response body: %s',
    async format => {
      const sql = `SELECT number, toString(number) FROM numbers(500000) ORDER BY number FORMAT ${format}`
      expect(await hashOf(await intoFile(sql))).toBe(await hashOf(await open(address, sql)))
      expect(spooled()).toEqual([])
    },
  )

  it('may be small, or empty', async () => {
    expect(await textOf(await intoFile('SELECT 1'))).toBe('1\n')
    expect(await textOf(await intoFile('SELECT 1 WHERE 0'))).toBe('')
  })

  it('fails before it begins', async () => {
    const file = await intoFile('SELECT * FROM no_such_table')
    await expect(file.growBeyond(0)).rejects.toThrow('Code: 60.')
    await file.remove()
    expect(spooled()).toEqual([])
  })

  it('fails half-way with the exception', async () => {
    const file = await intoFile('SELECT throwIf(number = 3000000), number FROM numbers(10000000) FORMAT Arrow')
    await expect(hashOf(file)).rejects.toThrow('Code: 395.')
    expect(spooled()).toEqual([])
  })

  it('leaves nothing if it is abandoned before chDB has started', async () => {
    const client = openClient(address)
    for (let turn = 0; turn < 60; turn++) {
      const leaving = new AbortController()
      const file = await address.resultFiles.create()
      const answer = client.exec({
        query: `SELECT number AS early FROM numbers(${5_000_000 + turn})`,
        clickhouse_settings: { ...file.parameters } as ClickHouseSettings,
        abort_signal: leaving.signal,
      })
      answer.catch(() => {})
      const content = file.follow({ answer, leave: () => leaving.abort() })
      await delay(turn / 3)
      await content.remove()
    }
    const running = async () =>
      (await call(address, "SELECT count() FROM system.processes WHERE query LIKE '%AS early%'")).body.trim()
    // One of them is this query.
    await until('all have ended', async () => (await running()) === '1')
    expect(spooled()).toEqual([])
    await client.close()
  })

  it('ends the query if it is abandoned and the request aborted', async () => {
    const client = openClient(address)
    const leaving = new AbortController()
    const file = await address.resultFiles.create()
    const answer = client.exec({
      query: 'SELECT number FROM numbers(1000000000000)',
      query_id: 'left',
      clickhouse_settings: { ...file.parameters } as ClickHouseSettings,
      abort_signal: leaving.signal,
    })
    const content = file.follow({ answer, leave: () => leaving.abort() })
    for await (const part of content) if (part.length > 0) break
    await expect(answer).rejects.toThrow(/abort/)
    const isRunning = async () => {
      const { body } = await call(address, "SELECT count() FROM system.processes WHERE query_id = 'left'")
      return body !== '0\n'
    }
    await until('it has ended', async () => !(await isRunning()))
    await client.close()
    expect(spooled()).toEqual([])
  })

  it.each(['../data/x', 'result-../x', 'other'])('cannot have another name: %s', async name => {
    const { status, body } = await call(address, 'SELECT 1', { result_file: name })
    expect([status, body]).toEqual([400, expect.stringContaining('cannot have this name')])
  })

  it('rejects if the engine and its folder are gone', async () => {
    const { resultFiles } = await openGone()
    await expect(resultFiles.create()).rejects.toMatchObject({ reason: 'engine_lost' })
  })

  it('rejects if the engine was restarted, and emptied its spool, in between', async () => {
    const file = await address.resultFiles.create()
    for (const name of spooled()) rmSync(join(dataDir, 'warehouse/w/spool', name))
    const answer = call(address, 'SELECT 1', file.parameters).then(failOnError)
    const content = file.follow({ answer, leave: () => {} })
    await expect(content.growBeyond(0)).rejects.toMatchObject({ reason: 'engine_lost' })
    await content.remove()
    expect(spooled()).toEqual([])
  })

  it('breaks off when the engine is lost', async () => {
    const lost = await engines.address('lost')
    const file = await intoFile('SELECT number FROM numbers(1000000000000)', lost)
    await file.growBeyond(0)
    process.kill(lost.pid, 'SIGKILL')
    await expect(hashOf(file)).rejects.toThrow()
    expect(spooled(dataDir, 'lost')).toEqual([])
  })
})

const openGone = async (): Promise<EngineAddress> => {
  const gone = openTestEngines()
  const address = await gone.engines.address('w')
  await gone.close()
  return address
}
