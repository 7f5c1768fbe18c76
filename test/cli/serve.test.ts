import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { finished, millrace, printed, type ServeProcess, start, startServe } from './millrace.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

const serve = async (args: readonly string[] = []): Promise<ServeProcess> => {
  const server = await startServe(args)
  undo.push(() => server.stop())
  return server
}

test('a server prints its address, its reference, where its token is, and a first job that works as printed', async () => {
  const { welcome, cwd } = await serve()
  const url = /is ready at (http:\/\/127\.0\.0\.1:\d+)/.exec(welcome)![1]!
  const token = readFileSync(join(cwd, 'data/admin-token'), 'utf8').trim()
  expect(welcome).toContain(`${url}/docs`)
  // A pipe is a log that others can read.
  expect(welcome).not.toContain(token)
  expect((await fetch(`${url}/docs/`)).status).toBe(200)
  const curl = welcome.slice(welcome.indexOf('curl')).split('\n\n')[0]!
  const shell = start(['run', '--', curl], { cwd })
  expect(await printed(shell.stdout!, /job_id/)).toContain('queued')
})

test('the data directory and the token are accessible to their owner alone', async () => {
  const { cwd } = await serve()
  expect(statSync(join(cwd, 'data')).mode & 0o777).toBe(0o700)
  expect(statSync(join(cwd, 'data/admin-token')).mode & 0o777).toBe(0o600)
})

test('the command line on the same machine works through the data directory, even if the public URL is a proxy', async () => {
  const { cwd } = await serve(['--public-url', 'https://jobs.example/millrace'])
  const { code, stdout, stderr } = await millrace(['run', '--', 'echo $MILLRACE_URL'], { cwd })
  expect([code, stdout, stderr]).toEqual([0, 'https://jobs.example/millrace\n', ''])
})

test('SIGTERM stops a server with exit code 0, and a second start has the same token', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  undo.push(() => rmSync(cwd, { recursive: true, force: true }))
  const tokens: string[] = []
  for (const _start of [1, 2]) {
    const child = start(['serve', '--port', '0'], { cwd })
    const exit = once(child, 'exit')
    undo.push(() => child.kill('SIGKILL'))
    await printed(child.stdout!, /A first job[\s\S]*\n\n/)
    tokens.push(readFileSync(join(cwd, 'data/admin-token'), 'utf8'))
    child.kill('SIGTERM')
    expect((await exit)[0]).toBe(0)
  }
  expect(tokens[1]).toBe(tokens[0])
})

test('a second SIGINT stops a server at once, even while a job runs', async () => {
  const { child, cwd } = await serve()
  const exit = once(child, 'exit')
  await millrace(['run', '--detach', '--', 'sleep 600'], { cwd })
  child.kill('SIGINT')
  await printed(child.stderr!, /again to stop at once/)
  const again = setInterval(() => child.kill('SIGINT'), 400)
  expect((await exit)[0]).toBe(130)
  clearInterval(again)
})

test('a terminal that closes lets running jobs finish, though it signals repeatedly and takes no more messages', async () => {
  const { child, cwd, welcome } = await serve()
  const url = /is ready at (http:\/\/127\.0\.0\.1:\d+)/.exec(welcome)![1]!
  const exit = once(child, 'exit')
  const [started, go, done] = ['started', 'go', 'done'].map(name => join(cwd, name)) as [string, string, string]
  const command = `touch ${started}; until [ -e ${go} ]; do sleep 0.1; done; touch ${done}`
  await millrace(['run', '--detach', '--', command], { cwd })
  await expect.poll(() => existsSync(started), { timeout: 30_000 }).toBe(true)
  child.stderr!.destroy()
  let signals = 0
  const again = setInterval(() => {
    child.kill('SIGHUP')
    signals += 1
  }, 200)
  await expect.poll(() => signals, { timeout: 30_000 }).toBeGreaterThan(2)
  expect((await fetch(`${url}/readyz`)).status).toBe(503)
  // While Node exits, nothing handles a signal any more.
  clearInterval(again)
  writeFileSync(go, '')
  expect(await exit).toEqual([0, null])
  expect(existsSync(done)).toBe(true)
})

test.skipIf(!existsSync('/dev/full'))('a server starts and stops even if its messages cannot be written', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  undo.push(() => rmSync(cwd, { recursive: true, force: true }))
  const full = openSync('/dev/full', 'w')
  const child = start(['serve', '--port', '0'], { cwd, stdout: full })
  closeSync(full)
  undo.push(() => child.kill('SIGKILL'))
  const exit = once(child, 'exit')
  await expect.poll(() => existsSync(join(cwd, 'data/server.json')), { timeout: 30_000 }).toBe(true)
  expect((await millrace(['run', '--', 'echo hi'], { cwd })).stdout).toBe('hi\n')
  child.kill('SIGTERM')
  expect(await exit).toEqual([0, null])
})

test('an invalid configuration is refused with every fault and exit code 2', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  undo.push(() => rmSync(cwd, { recursive: true, force: true }))
  const { code, stderr } = await millrace(['serve', '--port', 'x', '--roles', 'y'], { cwd })
  expect(code).toBe(2)
  expect(stderr).toContain('MILLRACE_PORT (flag)')
  expect(stderr).toContain('MILLRACE_ROLES (flag)')
})

test('a port or a data directory in use is reported in words', async () => {
  const { welcome, cwd } = await serve()
  const port = /127\.0\.0\.1:(\d+)/.exec(welcome)![1]!
  const taken = await millrace(['serve', '--port', port, '--data-dir', 'other'], { cwd })
  expect(taken.code).toBe(1)
  expect(taken.stderr).toContain(`something else listens on 127.0.0.1:${port}. Take another port with --port`)
  const used = await millrace(['serve', '--port', '0'], { cwd })
  expect(used.code).toBe(1)
  expect(used.stderr).toContain('Another Millrace server uses')
  for (const { stderr } of [taken, used]) expect(stderr).not.toMatch(/^\s+at /m)
})

test('an address that this machine does not have is reported with its setting', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  undo.push(() => rmSync(cwd, { recursive: true, force: true }))
  const { code, stderr } = await millrace(['serve', '--host', '192.0.2.1', '--port', '9'], { cwd })
  expect(code).toBe(1)
  expect(stderr).toContain('cannot listen where MILLRACE_HOST and MILLRACE_PORT say (192.0.2.1:9)')
})

test('a server that cannot start exits and stops everything it has started', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  undo.push(() => rmSync(cwd, { recursive: true, force: true }))
  mkdirSync(join(cwd, 'data/warehouse/default'), { recursive: true })
  writeFileSync(join(cwd, 'data/warehouse/default/imports'), 'no folder')
  const child = start(['serve', '--port', '0'], { cwd })
  undo.push(() => child.kill('SIGKILL'))
  const { code, stderr } = await finished(child)
  expect(code).toBe(1)
  expect(stderr).toContain('cannot start: EEXIST')
})

test('tokens reset-admin reports in words where it cannot work, and creates nothing there', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  undo.push(() => rmSync(cwd, { recursive: true, force: true }))
  mkdirSync(join(cwd, 'broken'))
  writeFileSync(join(cwd, 'broken/millrace.db'), 'no database')
  for (const [options, words] of [
    [['--data-dir', 'missing'], /there is no server's data in .*missing/],
    [['--data-dir', 'broken'], /not a database/],
    [['--database-url', 'postgres://u:p@127.0.0.1:1/x'], /cannot be reached/],
  ] as const) {
    const { code, stdout, stderr } = await millrace(['tokens', 'reset-admin', ...options], { cwd })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(words)
    expect(stderr).not.toContain('    at ')
  }
  expect(existsSync(join(cwd, 'missing'))).toBe(false)
})

test('tokens reset-admin creates a new token in the data of a stopped server, and only there', async () => {
  const server = await startServe()
  undo.push(() => rmSync(server.cwd, { recursive: true, force: true }))
  const refused = await millrace(['tokens', 'reset-admin'], { cwd: server.cwd })
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  const file = join(server.cwd, 'data/admin-token')
  const old = readFileSync(file, 'utf8').trim()
  const exit = once(server.child, 'exit')
  server.child.kill('SIGTERM')
  await exit

  const { code, stdout } = await millrace(['tokens', 'reset-admin'], { cwd: server.cwd })
  expect(code).toBe(0)
  expect(readFileSync(file, 'utf8')).toBe(stdout)
  expect(stdout.trim()).not.toBe(old)

  const child = start(['serve', '--port', '0'], { cwd: server.cwd })
  undo.push(() => child.kill('SIGKILL'))
  await printed(child.stdout!, /A first job[\s\S]*\n\n/)
  expect((await millrace(['jobs'], { cwd: server.cwd })).code).toBe(0)
  const withOld = await millrace(['jobs'], { cwd: server.cwd, environment: { MILLRACE_TOKEN: old } })
  expect(withOld.stderr).toContain('(unauthenticated)')
})
