import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { hasOldClickHouse, startOldClickHouse } from '../clickhouse-process.ts'
import { serve } from '../fetch/local-server.ts'
import { startTestServer } from '../server.ts'
import { exception, type OwnAnswer, type Seen, startTcpEngine } from './tcp-engine.ts'

const PASSWORD = 'hunter2%25'

const open = (clickhouseUrl: string): Warehouse => {
  const warehouse = openWarehouse({
    config: { clickhouseUrl, engineMemoryBytes: null, databaseUrl: null },
    dataDir: tmpdir(),
    logger: silentLogger,
    clock: systemClock,
  })
  onTestFinished(() => warehouse.close())
  return warehouse
}

/** The message that refuses a statement as engine_unavailable. /readyz has the same, and neither contains the password. */
const refusal = async (url: string): Promise<string> => {
  const warehouse = open(url)
  const error = await warehouse.rows({ workspace: 'default', sql: 'SELECT 1' }).then(
    () => null,
    error => error,
  )
  expect(error).toMatchObject({ reason: 'engine_unavailable' })
  expect(await warehouse.problem()).toBe(error.message)
  expect(error.message).not.toContain('hunter2')
  return error.message
}

const urlOf = (port: number): string => `http://millrace:${PASSWORD}@127.0.0.1:${port}/test`

const refusalOf = async (listener: RequestListener): Promise<string> => refusal(urlOf((await serve(listener)).port))

/** Answers every statement like this. */
const clickHouse =
  (status: number, text: string): RequestListener =>
  (_, response) =>
    response.writeHead(status, { 'X-ClickHouse-Server-Display-Name': 'test' }).end(text)

/** An engine that would be usable, except for what is answered in its place. */
const refusalBut = async (answer: (seen: Seen) => OwnAnswer | null): Promise<string> => {
  const engine = await startTcpEngine({ answer })
  onTestFinished(() => engine.close())
  return refusal(engine.url)
}

describe('a warehouse refuses the URL of', () => {
  test('a server that is too old', async () => {
    expect(await refusalOf(clickHouse(200, '26.4.9.1\n'))).toMatch(
      /^ClickHouse 26\.4\.9\.1 at 127\.0\.0\.1:\d+ is too old: Millrace needs 26\.5 or later\.$/,
    )
  })

  test('a closed port', async () => {
    const { port, server } = await serve(() => {})
    await new Promise(resolve => server.close(resolve))
    expect(await refusal(urlOf(port))).toMatch(/cannot be reached: .*127\.0\.0\.1:\d+: the connection was refused/)
  })

  test('an unknown host name', async () => {
    expect(await refusal(`http://millrace:${PASSWORD}@nowhere.invalid:8123`)).toMatch(
      /cannot be reached: http:\/\/nowhere\.invalid:8123: (there is no such name|the name could not be looked up)/,
    )
  })

  test('a web server', async () => {
    const page = await refusalOf((_, response) => response.writeHead(200).end('<html><body>hunter2</body></html>'))
    expect(page).toMatch(/^What answers at 127\.0\.0\.1:\d+ is not ClickHouse's HTTP interface \(status 200\)\.$/)
    const elsewhere = await refusalOf((_, response) => response.writeHead(302, { location: '/login' }).end())
    expect(elsewhere).toContain('(status 302)')
  })

  test('a port of ClickHouse for other clients, whose message is repeated', async () => {
    const told = await refusalOf((_, response) =>
      response.writeHead(400).end('Port 9000 is for clickhouse-client program\r\nYou must use port 8123 for HTTP.\r\n'),
    )
    expect(told).toContain('(status 400: Port 9000 is for clickhouse-client program You must use port 8123 for HTTP.)')
  })

  test('a service without HTTP', async () => {
    const server = createTcpServer(socket => socket.end('SSH-2.0-OpenSSH\r\n')).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise(resolve => server.once('listening', resolve))
    expect(await refusal(urlOf((server.address() as AddressInfo).port))).toMatch(/cannot be reached: /)
  })

  test('a server with an untrusted certificate', async context => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const parameters = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    try {
      execFileSync('openssl', ['req', ...parameters, ...name, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    } catch {
      return context.skip('needs openssl to make a certificate')
    }
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const url = urlOf((server.address() as AddressInfo).port).replace('http:', 'https:')
    expect(await refusal(url)).toMatch(/self-signed certificate.*NODE_EXTRA_CA_CERTS/)
  })
})

describe('a server', () => {
  test('with another password is refused', async () => {
    const told = await refusalOf(clickHouse(403, exception(516, 'millrace: Authentication failed. (X_Y)').text))
    expect(told).toMatch(
      /^ClickHouse at 127\.0\.0\.1:\d+ refuses the account millrace: millrace: Authentication failed/,
    )
  })

  test('whose account may not create users is refused', async () => {
    const grant = "millrace: Not enough privileges. To execute this query, it's necessary to have the grant CREATE USER"
    const told = await refusalBut(({ sql }) => (sql.startsWith('CREATE USER') ? exception(497, grant) : null))
    expect(told).toContain('refuses the account millrace: millrace: Not enough privileges')
    expect(told).toMatch(/grant CREATE USER.*documentation of operations lists its rights/)
  })

  test('in another time zone is refused', async () => {
    const told = await refusalBut(({ sql }) =>
      sql.includes('serverTimezone()') ? { status: 200, text: '["Europe/Berlin","a"]\n' } : null,
    )
    expect(told).toMatch(/^The time zone of ClickHouse at 127\.0\.0\.1:\d+ is Europe\/Berlin: set <timezone>UTC/)
  })

  test('that is several servers is refused', async () => {
    let node = 0
    const told = await refusalBut(({ sql }) =>
      sql.includes('serverUUID()') ? { status: 200, text: `["UTC","${node++ % 2}"]\n` } : null,
    )
    expect(told).toMatch(/leads to more than one ClickHouse server, .*: give the address of one\.$/)
  })

  test('that was unusable at first is used once it is ready', async () => {
    let isThere = false
    const engine = await startTcpEngine({ answer: () => (isThere ? null : { status: 200, text: '', isOther: true }) })
    onTestFinished(() => engine.close())
    const warehouse = open(engine.url)
    const ask = () => warehouse.rows({ workspace: 'default', sql: 'SELECT 1 AS a' })
    // The second one gets what the first has found out.
    for (let times = 0; times < 2; times++) await expect(ask()).rejects.toMatchObject({ reason: 'engine_unavailable' })
    expect(engine.seen.filter(({ sql }) => sql === 'SELECT version()')).toHaveLength(1)
    isThere = true
    await expect.poll(() => ask().catch(() => null), { timeout: 20_000 }).toEqual([{ a: 1 }])
    expect(await warehouse.problem()).toBeNull()
  })

  test('that becomes unusable is checked again, and used once it is back', async () => {
    let isGone = false
    const engine = await startTcpEngine({
      answer: () => (isGone ? { status: 200, text: '<html>', isOther: true } : null),
    })
    onTestFinished(() => engine.close())
    const warehouse = open(engine.url)
    const ask = () => warehouse.rows({ workspace: 'default', sql: 'SELECT 1 AS a' })
    expect(await ask()).toEqual([{ a: 1 }])
    isGone = true
    await expect(ask()).rejects.toMatchObject({ reason: 'engine_unavailable' })
    await expect(ask()).rejects.toThrow(/is not ClickHouse's HTTP interface/)
    isGone = false
    await expect.poll(() => ask().catch(() => null), { timeout: 20_000 }).toEqual([{ a: 1 }])
  })
})

describe.skipIf(!hasOldClickHouse)(
  `ClickHouse 18.16 itself${hasOldClickHouse ? '' : ' (needs the package clickhouse-server of Debian 12)'}`,
  () => {
    const start = async () => {
      const server = await startOldClickHouse()
      onTestFinished(() => server.stop())
      return server
    }

    test('is too old, and does not accept a wrong password', async () => {
      const { port, password } = await start()
      expect(await refusal(`http://default:${password}@127.0.0.1:${port}`)).toBe(
        `ClickHouse 18.16.1 at 127.0.0.1:${port} is too old: Millrace needs 26.5 or later.`,
      )
      expect(await refusal(`http://default:hunter2@127.0.0.1:${port}`)).toBe(
        `ClickHouse at 127.0.0.1:${port} refuses the account default: Wrong password for user default`,
      )
    })

    test('does not stop Millrace: /readyz, requests and data jobs report the problem', async () => {
      const { port, password } = await start()
      const tooOld = `ClickHouse 18.16.1 at 127.0.0.1:${port} is too old: Millrace needs 26.5 or later.`
      const millrace = await startTestServer({
        settings: { 'clickhouse-url': `http://default:${password}@127.0.0.1:${port}` },
      })
      onTestFinished(() => millrace.stop())
      const ready = await millrace.call('GET', '/readyz')
      expect(ready.status).toBe(200)
      for (const part of ['query', 'import', 'populate', 'copy', 'delete'])
        expect(ready.body.parts).toContainEqual({
          part,
          status: 'unavailable',
          problems: [{ severity: 'unavailable', message: tooOld }],
        })
      const source = { name: 'a', schema: [{ name: 'a', type: 'String' }] }
      for (const [path, body] of [
        ['/v1/sql', { query: 'SELECT 1' }],
        ['/v1/datasources', source],
      ] as const) {
        const refused = await millrace.call('POST', path, body)
        expect(refused).toMatchObject({ status: 503, body: { code: 'engine_unavailable', detail: tooOld } })
      }
      const job = await millrace.run({ query: 'SELECT 1', restartable: false })
      expect(job).toMatchObject({ status: 'failed', error: { code: 'engine_unavailable', message: tooOld } })
      expect((await millrace.run({ command: 'echo fine' })).status).toBe('completed')
    })
  },
)
