import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Finished,
  finished,
  inProcess,
  millrace,
  needTerminal,
  printed,
  type ServeProcess,
  start,
  startOnTerminal,
  startServe,
} from './millrace.ts'

let server: ServeProcess
beforeAll(async () => {
  server = await startServe(['--shutdown-grace', '1s'])
})
afterAll(async () => {
  await server?.stop()
})

const run = (args: readonly string[], input?: string | Uint8Array): Promise<Finished> =>
  inProcess(args, { cwd: server.cwd, ...(input !== undefined && { input }) })

/** As a user does, in its own process. */
const runProcess = (args: readonly string[], input?: string): Promise<Finished> =>
  millrace(args, { cwd: server.cwd, ...(input !== undefined && { input }) })

/** Submits in the background and returns the id. */
const submitted = async (...args: readonly string[]): Promise<string> => {
  const { stdout, code } = await run(['run', '--detach', ...args])
  expect(code).toBe(0)
  return stdout.trim()
}

const jobOf = async (id: string) => JSON.parse((await run(['job', '--wait', '--json', id])).stdout)

test('run needs no configuration in the directory of a server', async () => {
  expect(await runProcess(['run', '--', 'echo', 'hi'])).toEqual({ code: 0, stdout: 'hi\n', stderr: '' })
})

test('run keeps stdout and stderr apart and exits with the code of the job', async () => {
  const result = await runProcess(['run', '--', 'echo out; echo err >&2; exit 42'])
  expect(result).toEqual({ code: 42, stdout: 'out\n', stderr: 'err\n' })
})

test('a job ended by a signal makes run exit with 128 and its number', async () => {
  const { code, stderr } = await runProcess(['run', '--', 'kill -SEGV $$'])
  expect(code).toBe(128 + 11)
  expect(stderr).toContain('failed')
})

test('several arguments are run as a program with its arguments, without a shell', async () => {
  expect((await run(['run', 'printf', '%s\n', '$HOME', '-n'])).stdout).toBe('$HOME\n-n\n')
})

test('a timeout is reported in words, and run exits with 1', async () => {
  const { code, stderr } = await run(['run', '--timeout', '0.3', '--', 'sleep 60'])
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /millrace: job (\S+) failed: .*\nmillrace: Raise timeout_seconds or make the work shorter\.\n$/,
  )
  const shown = await run(['job', /job (\S+)/.exec(stderr)?.[1] ?? ''])
  expect(shown.stdout).toMatch(/^hint +Raise timeout_seconds or make the work shorter\.$/m)
  expect(shown.stdout).toMatch(/^attempt +1 \(at most 1\)$/m)
})

test('attempts after system failures are listed apart from those of the job', async () => {
  const refused = await run(
    ['submit', '-'],
    '{"http": {"url": "https://name.invalid/"}, "retry": {"maximum_attempts": 1}}',
  )
  await jobOf(refused.stdout.trim())
  const { stdout } = await run(['job', refused.stdout.trim()])
  expect(stdout).toMatch(/^attempt +3 \(at most 1, and \d more for failures of the system\)$/m)
})

test('options are passed on to the job', async () => {
  const options = ['--name', 'my job', '-e', 'A=1=2', '-e', 'B=', '--cwd', '.', '--label', 'team=a', '--priority', '-5']
  const id = await submitted(...options, '--queue', 'q', '--', 'echo "$A|$B|$PWD"')
  const job = await jobOf(id)
  expect(job).toMatchObject({ name: 'my job', labels: { team: 'a' }, priority: -5, queue: 'q', status: 'completed' })
  expect((await run(['logs', id])).stdout).toBe(`1=2||${server.cwd}\n`)
})

test('--stdin gives the job every byte of a text, and refuses what is not UTF-8', async () => {
  const text = await run(['run', '--stdin', '--', 'od -An -tx1'], Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0x0a))
  expect(text).toEqual({ code: 0, stdout: ' ef bb bf 61 0a\n', stderr: '' })
  const binary = await run(['run', '--stdin', '--', 'cat'], Uint8Array.of(0x61, 0xff))
  expect(binary).toEqual({ code: 2, stdout: '', stderr: 'millrace: standard input is not UTF-8 text\n' })
})

test('--stdin gives the job the standard input of the command', async () => {
  expect((await runProcess(['run', '--stdin', '--', 'wc -c'], 'hello')).stdout.trim()).toBe('5')
})

test('Ctrl-C cancels the job, and run says so and exits with 130', async () => {
  const child = start(['run', '--name', 'to interrupt', '--', 'echo started; exec sleep 600'], { cwd: server.cwd })
  const end = finished(child)
  await printed(child.stdout!, /started/)
  child.kill('SIGINT')
  const { code, stderr } = await end
  expect(code).toBe(130)
  expect(stderr).toContain('cancelling')
  expect((await run(['jobs', '--name', 'to interrupt', '--status', 'cancelled'])).stdout).toContain('to interrupt')
})

test('a second Ctrl-C kills a job that ignores the first', async () => {
  const command = 'trap "" TERM; echo started; while :; do sleep 1; done'
  const child = start(['run', '--', command], { cwd: server.cwd })
  const end = finished(child)
  await printed(child.stdout!, /started/)
  child.kill('SIGINT')
  await printed(child.stderr!, /again to kill/)
  // Signals within 150 ms count as one press of the keys.
  const again = setInterval(() => child.kill('SIGINT'), 400)
  const { code } = await end
  clearInterval(again)
  expect(code).toBe(130)
})

test('logs prints all or the last lines, with times, or as JSON', async () => {
  const id = await submitted('--', 'for i in 1 2 3 4 5; do echo line $i; done; echo bad >&2')
  await jobOf(id)
  expect(await run(['logs', id])).toEqual({
    code: 0,
    stdout: 'line 1\nline 2\nline 3\nline 4\nline 5\n',
    stderr: 'bad\n',
  })
  const tail = await run(['logs', '-n', '2', id])
  expect(tail.stdout + tail.stderr).toBe('line 5\nbad\n')
  expect((await run(['logs', '-f', '-n', '3', id])).stdout).toBe('line 4\nline 5\n')
  expect((await run(['logs', '-t', '-n', '2', id])).stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z line 5\n$/)
  const json = (await run(['logs', '--json', id])).stdout.trim().split('\n')
  expect(json.map(line => JSON.parse(line).seq)).toEqual([1, 2, 3, 4, 5, 6])
})

test('logs -f follows a running job to its end', async () => {
  const gate = join(server.cwd, 'free-slots')
  const id = await submitted('--', `echo before; until [ -e ${gate} ]; do sleep 0.05; done; echo after`)
  const child = start(['logs', '-f', id], { cwd: server.cwd })
  const end = finished(child)
  await printed(child.stdout!, /before/)
  writeFileSync(gate, '')
  expect(await end).toMatchObject({ code: 0, stdout: 'before\nafter\n' })
})

test('a large log is printed whole, and ends quietly if its pipe is closed early', async () => {
  const id = await submitted('--', 'seq 1 200000')
  await jobOf(id)
  const { stdout } = await run(['logs', id])
  expect(stdout.length).toBe(1_288_895)
  expect(stdout.endsWith('199999\n200000\n')).toBe(true)
  const child = start(['logs', id], { cwd: server.cwd })
  child.stdout!.once('data', () => child.stdout!.destroy())
  const code = await new Promise(resolve => child.once('exit', resolve))
  expect(code).toBe(141)
})

test.skipIf(!existsSync('/dev/full'))('standard output on a full disk is reported in words', async () => {
  const id = await submitted('--', 'echo hi')
  await jobOf(id)
  const full = openSync('/dev/full', 'w')
  for (const args of [['jobs'], ['logs', id], ['config', '--json']]) {
    const child = start(args, { cwd: server.cwd, stdout: full })
    const [stderr, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')])
    const words = 'millrace: standard output cannot be written: ENOSPC: no space left on device, write\n'
    expect([code, stderr]).toEqual([2, words])
  }
  closeSync(full)
})

test('jobs lists the newest first, filters, and prints JSON', async () => {
  const first = await submitted('--label', 'list=yes', '--name', 'list a', '--', 'true')
  const second = await submitted('--label', 'list=yes', '--', 'exit 3')
  await jobOf(first)
  await jobOf(second)
  const table = (await run(['jobs', '--label', 'list=yes'])).stdout.trim().split('\n')
  expect(table).toHaveLength(3)
  expect(table[1]).toMatch(new RegExp(`^${second} +failed +command +.* exit 3 +exit 3$`))
  expect(table[2]).toMatch(new RegExp(`^${first} +completed +.*list a$`))
  const failed = JSON.parse((await run(['jobs', '-l', 'list:yes', '-s', 'failed,cancelled', '--json'])).stdout)
  expect(failed.jobs.map((job: { job_id: string }) => job.job_id)).toEqual([second])
  const none = await run(['jobs', '-l', 'list:no'])
  expect(none).toEqual({ code: 0, stdout: '', stderr: 'no jobs\n' })
})

test('submit takes one body, a list of bodies, and standard input', async () => {
  const file = join(server.cwd, 'jobs.json')
  writeFileSync(file, JSON.stringify([{ command: 'echo 1' }, { command: 'echo 2' }]))
  const ids = (await run(['submit', 'jobs.json'])).stdout.trim().split('\n')
  expect(ids).toHaveLength(2)
  expect((await jobOf(ids[1]!)).status).toBe('completed')
  const followed = await run(['submit', '--follow', '-'], '{"command": "echo from stdin; exit 5"}')
  expect(followed).toMatchObject({ code: 5, stdout: 'from stdin\n' })
  writeFileSync(file, '\ufeff{"command": "true"}')
  expect((await run(['submit', 'jobs.json'])).code).toBe(0)
  writeFileSync(file, Buffer.from('{"command": "echo B\u00fccher"}', 'latin1'))
  expect((await run(['submit', 'jobs.json'])).stderr).toBe('millrace: jobs.json is not UTF-8 text\n')
  const altered = await run(['submit', '-'], '{"command": "true", "labels": {"n": 12345678901234567890}}')
  expect(altered).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('labels.n: must be a number that a double'),
  })
})

test('cancel reports the outcome for each job, and fails if one had already ended', async () => {
  const running = await submitted('--', 'sleep 600')
  const ended = await submitted('--', 'true')
  await jobOf(ended)
  const { code, stdout, stderr } = await run(['cancel', '--grace', '0', ended, running])
  expect(code).toBe(125)
  expect(stderr).toContain(ended)
  expect(stdout).toMatch(new RegExp(`^${running} cancell(ing|ed)\n$`))
  expect((await jobOf(running)).status).toBe('cancelled')
})

test('rerun submits the same command as a new job', async () => {
  const id = await submitted('--', 'echo again; exit 7')
  await jobOf(id)
  const { code, stdout } = await run(['rerun', '--follow', id])
  expect({ code, stdout }).toEqual({ code: 7, stdout: 'again\n' })
})

test('artifacts are collected, listed, downloaded and uploaded', async () => {
  const id = await submitted(
    '--artifact',
    'out/**',
    '--',
    'mkdir -p out/deep && echo one > out/a && echo two > out/deep/b',
  )
  await jobOf(id)
  expect((await run(['artifacts', id])).stdout).toMatch(/4 B .*out\/a\n.*4 B .*out\/deep\/b\n/)
  expect((await run(['artifacts', id, 'out/a', '-o', '-'])).stdout).toBe('one\n')
  expect((await run(['artifacts', id, '-o', 'all'])).code).toBe(0)
  expect(readFileSync(join(server.cwd, 'all/out/deep/b'), 'utf8')).toBe('two\n')

  const bytes = randomBytes(3_000_000)
  mkdirSync(join(server.cwd, 'up'))
  writeFileSync(join(server.cwd, 'up/big "quoted".bin'), bytes)
  writeFileSync(join(server.cwd, 'up/empty'), '')
  const upload = await run(['artifacts', id, '--json', '--upload', 'up/big "quoted".bin', 'up/empty'])
  expect(upload.stderr).toBe('')
  const [big] = JSON.parse(upload.stdout).artifacts
  expect(big).toMatchObject({ size: 3_000_000, sha256: createHash('sha256').update(bytes).digest('hex') })
  expect((await run(['artifacts', id, big.artifact_id, '-o', 'back.bin'])).code).toBe(0)
  expect(readFileSync(join(server.cwd, 'back.bin')).equals(bytes)).toBe(true)

  const missing = await run(['artifacts', id, 'nothing'])
  expect(missing.code).toBe(1)
  expect(missing.stderr).toContain('out/deep/b')
})

test.each([
  'artifacts ID a.txt --upload b.txt',
  'artifacts ID --upload b.txt --output all',
  'artifacts ID --output -',
  'artifacts ID a.txt --json',
  'query SELECT --json --format csv',
  'analytics --since 7d --from 2026-01-01T00:00:00Z',
  'submit - --follow --json',
  'rerun ID --follow --json',
  'workflows delete nightly --grace 5',
])('%s is refused, because something in it would have no effect', async line => {
  const { code, stdout, stderr } = await run(line.split(' '), '{"command": "true"}')
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/^millrace: .*(cannot be used with|takes|needs)/)
})

test('a file that has content but reports no size is uploaded', async () => {
  const id = await submitted('--', 'true')
  expect((await run(['artifacts', id, '--upload', '/proc/self/status'])).code).toBe(0)
  expect((await run(['artifacts', id, 'status', '-o', '-'])).stdout).toMatch(/^Name:/)
})

test('a file that cannot be read fails its upload with the reason, and leaves no artifact', async () => {
  const id = await submitted('--', 'true')
  // A file that can be opened, but whose first page cannot be read.
  const unreadable = '/proc/self/mem'
  const upload = await run(['artifacts', id, '--upload', unreadable])
  expect([upload.code, upload.stderr]).toEqual([2, `millrace: ${unreadable}: EIO: i/o error, read\n`])
  expect((await run(['artifacts', id])).stderr).toBe('no artifacts\n')
})

test('an upload declares its length, so that a refused token is reported', async () => {
  const asked: (string | undefined)[] = []
  const listener = createHttpServer((request, response) => {
    asked.push(request.headers['content-length'])
    request.resume().on('end', () => response.writeHead(401).end('{"code":"unauthenticated","detail":"Not valid."}'))
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  writeFileSync(join(server.cwd, 'six.csv'), 'a\n1\n2\n')
  const environment = { MILLRACE_URL: url, MILLRACE_TOKEN: 'x' }
  for (const args of [
    ['import', 'six.csv', 'rows'],
    ['datasources', 'infer', 'six.csv'],
    ['artifacts', 'j', '--upload', 'six.csv'],
  ]) {
    const refused = await millrace(args, { cwd: server.cwd, environment })
    expect([refused.code, refused.stderr]).toEqual([125, expect.stringMatching(/^millrace: Not valid\. /)])
  }
  listener.close()
  expect(asked.map(Number)).toEqual([6, 6, expect.any(Number)])
  expect(asked).not.toContain(undefined)
})

test('tokens are created, listed, used and revoked', async () => {
  const made = JSON.parse((await run(['tokens', 'create', 'ci', '--role', 'reader', '--json'])).stdout)
  expect((await run(['tokens'])).stdout).toMatch(new RegExp(`${made.token_id} +ci .*never +reader`))
  const as = (args: readonly string[]) =>
    millrace(args, { cwd: server.cwd, environment: { MILLRACE_TOKEN: made.token } })
  expect((await as(['jobs', '-n', '1'])).code).toBe(0)
  const refused = await as(['run', '--', 'true'])
  expect(refused.code).toBe(125)
  expect(refused.stderr).toContain('(forbidden)')
  expect((await run(['tokens', 'delete', made.token_id])).code).toBe(0)
  expect((await as(['jobs'])).stderr).toContain('(unauthenticated)')
})

test('every command that takes a job reports an unknown one in words', async () => {
  const id = '01890000-0000-7000-8000-000000000000'
  for (const args of [
    ['job', id],
    ['logs', id],
    ['logs', '-f', id],
    ['logs', '-n', '1', id],
    ['rerun', id],
    ['artifacts', id],
  ]) {
    const { code, stderr, stdout } = await run(args)
    expect({ args, code, stdout }).toEqual({ args, code: 125, stdout: '' })
    expect(stderr).toContain('(not_found)')
  }
})

test('an invalid value is reported with its field', async () => {
  const { code, stderr } = await run(['run', '--name', 'two\nlines', '--', 'true'])
  expect(code).toBe(125)
  expect(stderr).toContain('name')
  expect(stderr).toContain('(invalid)')
  expect(stderr).not.toContain('entry of errors')
})

test('a job that has not started shows on a terminal what it waits for', async context => {
  needTerminal(context)
  const gate = join(server.cwd, 'told-what-it-waits-for')
  const holders = Array.from({ length: 4 }, () => submitted('--', `until [ -e '${gate}' ]; do sleep 0.1; done`))
  await Promise.all(holders)
  const child = startOnTerminal(['run', '--', 'echo begun'], { cwd: server.cwd })
  const output = printed(child.stdout, /begun/)
  await printed(child.stdout, /it is queued: no worker has a free slot for it yet/)
  writeFileSync(gate, '')
  expect(await output).toContain('begun')
  for (const id of await Promise.all(holders)) expect(await jobOf(id)).toMatchObject({ status: 'completed' })
})

test.each([
  [['run'], 'missing required argument'],
  [['run', '--env', 'novalue', '--', 'true'], 'KEY=VALUE'],
  [['run', '--timeout', 'soon', '--', 'true'], 'number of seconds'],
  [['jobs', '--limit', '0'], '1 or more'],
  [['nonsense'], 'unknown command'],
  [['tokens', 'create', 'x'], '--role'],
  [['submit', 'missing.json'], 'there is no file or directory missing.json'],
  [['submit', 'data'], 'data is a directory'],
])('wrong usage %j exits with 2', async (args, message) => {
  const { code, stderr } = await run(args)
  expect(code).toBe(2)
  expect(stderr).toContain(message)
})

test('if no server answers, the hint says how to start one', async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const url = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`
  closed.close()
  await once(closed, 'close')
  const environment = { MILLRACE_URL: url, MILLRACE_TOKEN: 'x' }
  const { code, stderr } = await millrace(['jobs'], { cwd: server.cwd, environment })
  expect(code).toBe(125)
  expect(stderr).toContain(`no server answers at ${url}`)
  expect(stderr).toContain('millrace serve')
})

test('the token of this machine is not sent to another one', async () => {
  const environment = { MILLRACE_URL: 'http://198.51.100.1:7070' }
  const { code, stderr } = await millrace(['jobs'], { cwd: server.cwd, environment })
  expect(code).toBe(2)
  expect(stderr).toContain('MILLRACE_TOKEN is not set')
})
