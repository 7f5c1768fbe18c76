import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { ClickHouseSettings } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EngineAddress } from '../../src/warehouse/embedded/embedded-engines.ts'
import type { PipedResult } from '../../src/warehouse/embedded/result-pipes.ts'
import { type Answer, call, open, openClient, openTestEngines, until } from './engine-call.ts'

const { engines, close } = openTestEngines()
let address: EngineAddress
beforeAll(async () => {
  address = await engines.address('w')
})
afterAll(close)

const pipe = (sql: string, parameters: Record<string, string> = {}, at = address): PipedResult => {
  const pipe = at.resultPipes.take()!
  const answer = call(at, sql, { ...parameters, ...pipe.parameters }).then(failOnError)
  return pipe.read(answer)
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

describe('a result through a pipe', () => {
  it('is the same as in the body of the answer', async () => {
    const sql = 'SELECT number, toString(number) FROM numbers(2000000) FORMAT RowBinary'
    const { begun, content } = pipe(sql)
    await begun
    const parts: Buffer[] = []
    for await (const part of content) {
      parts.push(Buffer.from(part))
      // A reader slower than chDB.
      await setImmediate()
    }
    const direct = await open(address, sql)
    expect(await hashOf(parts)).toBe(await hashOf(direct))
    expect(parts.length).toBeGreaterThan(10)
  })

  it('may be small, or empty', async () => {
    for (const [sql, text] of [
      ['SELECT 1', '1\n'],
      ['SELECT 1 WHERE 0', ''],
    ] as const) {
      const { begun, content } = pipe(sql)
      await begun
      let all = ''
      for await (const part of content) all += Buffer.from(part).toString()
      expect(all).toBe(text)
    }
  })

  it('fails before it begins', async () => {
    const { begun, content } = pipe('SELECT * FROM no_such_table')
    await expect(begun).rejects.toThrow('Code: 60.')
    await expect(hashOf(content)).rejects.toThrow('Code: 60.')
  })

  it('fails in the middle with the exception, behind the rows before it', async () => {
    const { begun, content } = pipe('SELECT throwIf(number = 3000000), number FROM numbers(10000000) FORMAT Arrow')
    await begun
    let bytes = 0
    const read = async () => {
      for await (const part of content) bytes += part.length
    }
    await expect(read()).rejects.toThrow('Code: 395.')
    expect(bytes).toBeGreaterThan(1000)
  })

  it('ends the query when it is left and the request ended', async () => {
    const client = openClient(address)
    const leaving = new AbortController()
    const pipe = address.resultPipes.take()!
    const answer = client.exec({
      query: 'SELECT number FROM numbers(1000000000000)',
      query_id: 'left',
      clickhouse_settings: { ...pipe.parameters } as ClickHouseSettings,
      abort_signal: leaving.signal,
    })
    for await (const part of pipe.read(answer).content) if (part.length > 0) break
    leaving.abort()
    await expect(answer).rejects.toThrow(/abort/)
    const isRunning = async () => {
      const { body } = await call(address, "SELECT count() FROM system.processes WHERE query_id = 'left'")
      return body !== '0\n'
    }
    await until('it has ended', async () => !(await isRunning()))
    await client.close()
  })

  it('gives its pipe back: one after another there are enough', async () => {
    for (let round = 0; round < 40; round++) {
      const { content } = pipe(`SELECT ${round}`)
      let all = ''
      for await (const part of content) all += Buffer.from(part).toString()
      expect(all).toBe(`${round}\n`)
      await setImmediate()
    }
  })

  it('has none to give when all are in use', () => {
    const { resultPipes } = { ...address }
    const taken = Array.from({ length: 100 }, () => resultPipes.take()).filter(each => each !== null)
    expect(taken.length).toBeLessThan(100)
    for (const each of taken) each.read(Promise.resolve())
  })

  it('is an error of the statement where the engine, and so the pipe, is gone', async () => {
    const { resultPipes } = await openGone()
    const answer = Promise.reject(new Error('no engine'))
    const { begun, content } = resultPipes.take()!.read(answer)
    await expect(begun).rejects.toThrow('no engine')
    await expect(hashOf(content)).rejects.toThrow('no engine')
  })

  it('breaks when the engine is lost', async () => {
    const lost = await engines.address('lost')
    const { begun, content } = pipe('SELECT number FROM numbers(1000000000000)', {}, lost)
    await begun
    process.kill(lost.pid, 'SIGKILL')
    await expect(hashOf(content)).rejects.toThrow()
  })
})

const openGone = async (): Promise<EngineAddress> => {
  const gone = openTestEngines()
  const address = await gone.engines.address('w')
  await gone.close()
  return address
}
