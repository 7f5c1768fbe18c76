import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { type ClickHouseClient, createClient } from '@clickhouse/client'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import {
  type EmbeddedEngines,
  type EmbeddedEnginesOptions,
  type EngineAddress,
  openEmbeddedEngines,
} from '../../src/warehouse/embedded/embedded-engines.ts'

/** Real engines in a data directory of their own. */
export interface TestEngines {
  readonly engines: EmbeddedEngines
  readonly dataDir: string
  close(): Promise<void>
}

export const openTestEngines = (options: Partial<EmbeddedEnginesOptions> = {}): TestEngines => {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'engine-'))
  const engines = openEmbeddedEngines({
    memoryBytes: null,
    idleMs: 600_000,
    logger: silentLogger,
    clock: systemClock,
    ...options,
    dataDir,
  })
  return {
    engines,
    dataDir,
    close: async () => {
      await engines.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export type Answer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly trailers: IncomingMessage['trailers']
  readonly body: string
}

/** One request of ClickHouse's HTTP interface, read to its end. Rejects when the connection breaks. */
export const call = async (
  address: EngineAddress,
  sql: string,
  parameters: Record<string, string> = {},
): Promise<Answer> => {
  const response = await open(address, sql, parameters)
  const body = await text(response)
  return { status: response.statusCode!, headers: response.headers, trailers: response.trailers, body }
}

/** Resolves when the head of the answer is there. */
export const open = (
  { socketPath }: EngineAddress,
  sql: string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  parameters: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const path = `/?${new URLSearchParams(parameters)}`
    const sending = request(
      { socketPath, method: 'POST', path, headers: { connection: 'keep-alive', ...headers }, agent: false },
      resolve,
    )
    sending.on('error', reject)
    send(sending, sql).catch(error => {
      reject(error)
      sending.destroy()
    })
  })

const send = async (
  sending: ReturnType<typeof request>,
  content: string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> => {
  if (typeof content === 'string') return void sending.end(content)
  const gone = new Promise(resolve => sending.once('close', resolve))
  for await (const part of content) {
    if (sending.destroyed) return
    if (!sending.write(part)) await Promise.race([once(sending, 'drain'), gone])
  }
  sending.end()
}

export const openClient = (address: EngineAddress, options: object = {}): ClickHouseClient =>
  createClient({
    url: 'http://localhost',
    database: address.database,
    http_agent: new Agent({ socketPath: address.socketPath, keepAlive: true } as ConstructorParameters<
      typeof Agent
    >[0]),
    log: { level: 127 },
    ...options,
  })

/** Waits until the condition holds, and fails if it does not within the bound. */
export const until = async (what: string, holds: () => boolean | Promise<boolean>, boundMs = 30_000): Promise<void> => {
  const end = performance.now() + boundMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${boundMs} ms`)
    await delay(20)
  }
}

/** Whether the process is alive (a zombie is not). */
export const isAlive = (pid: number): boolean => {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Engine processes of this data directory. */
export const enginesOf = (dataDir: string): readonly number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => commandOf(pid).includes(join(dataDir, 'warehouse')) && commandOf(pid).includes('engine'))
    .filter(isAlive)

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** Memory of this process that is in use, in bytes. */
export const residentBytes = (): number => process.memoryUsage.rss()
