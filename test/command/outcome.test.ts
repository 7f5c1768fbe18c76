import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LAUNCHERS, useExecutor } from './executor.ts'

describe.each(LAUNCHERS)('a command started by the %s launcher', launcher => {
  const { run } = useExecutor({ launcher })
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-outcome-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('completes with exit code 0', async () => {
    const { outcome } = await run({ command: ['/bin/true'] })
    expect(outcome).toEqual({ type: 'completed', exit: { exitCode: 0, signal: null } })
  })

  test('with another exit code is a user failure with that code', async () => {
    const { outcome } = await run({ command: 'exit 7' })
    expect(outcome).toMatchObject({
      type: 'failed',
      failure: 'user',
      reason: 'exit_code',
      exit: { exitCode: 7, signal: null },
    })
  })

  test.each(['SEGV', 'ABRT', 'IO'])('fails with the name of the signal that ended it: SIG%s', async name => {
    const { outcome } = await run({ command: `kill -${name} $$` })
    const exit = { exitCode: null, signal: `SIG${name}` }
    expect(outcome).toMatchObject({ failure: 'user', reason: 'signal', exit })
  })

  test('writes standard output and standard error into the log unchanged', async () => {
    const { context } = await run({ command: 'echo out; echo err >&2; printf "no newline"' })
    expect(context.log.text('stdout')).toBe('out\nno newline')
    expect(context.log.text('stderr')).toBe('err\n')
  })

  test('can open its standard streams by name', async () => {
    const { context } = await run({ command: 'echo a > /dev/stderr; echo b > /dev/stdout' })
    expect(context.log.text('stderr')).toBe('a\n')
    expect(context.log.text('stdout')).toBe('b\n')
  })

  test('is looked up on the PATH of its own environment', async () => {
    const program = join(folder, 'hello-millrace')
    writeFileSync(program, '#!/bin/sh\necho found\n')
    chmodSync(program, 0o755)
    const { context } = await run({ command: ['hello-millrace'], environment: { PATH: `/nowhere:${folder}` } })
    expect(context.log.text('stdout')).toBe('found\n')
  })

  test('may be a path relative to its working directory', async () => {
    writeFileSync(join(folder, 'here'), '#!/bin/sh\necho here\n', { mode: 0o755 })
    chmodSync(join(folder, 'here'), 0o755)
    const { context } = await run({ command: ['./here'], working_dir: folder })
    expect(context.log.text('stdout')).toBe('here\n')
  })

  test.each([
    ['does not exist', ['no-such-program']],
    ['does not exist at its path', ['/no/such/program']],
    ['is not executable', ['/etc/passwd']],
    ['is a directory', ['/etc']],
    ['has an empty name', ['']],
    ['has a name that no path can hold', ['x'.repeat(5000)]],
    ['has a NUL in an argument', ['/bin/echo', 'a\0b']],
    ['has an argument longer than the system takes', ['/bin/echo', 'x'.repeat(200_000)]],
    ['has more arguments than the system takes', ['/bin/true', ...Array(70).fill('x'.repeat(100_000))]],
  ])('fails with command_not_found when the program %s', async (_, command) => {
    const { outcome } = await run({ command })
    expect(outcome).toMatchObject({ type: 'failed', failure: 'user', reason: 'command_not_found' })
  })

  test('is found even if other entries of its PATH cannot be searched', async () => {
    const { outcome } = await run({ command: ['true'], environment: { PATH: `/${'x'.repeat(5000)}:/usr/bin:/bin` } })
    expect(outcome.type).toBe('completed')
  })

  test('fails with command_not_found when the interpreter of a script is missing', async () => {
    const script = join(folder, 'script')
    writeFileSync(script, '#!/no/such/interpreter\n')
    chmodSync(script, 0o755)
    const { outcome } = await run({ command: [script] })
    expect(outcome).toMatchObject({ failure: 'user', reason: 'command_not_found' })
  })

  test.each([['/no/such/folder'], ['/etc/passwd'], ['/etc/passwd/below']])(
    'fails with working_dir_missing when the working directory is %s',
    async working_dir => {
      const { outcome } = await run({ command: 'true', working_dir })
      expect(outcome).toMatchObject({ type: 'failed', failure: 'user', reason: 'working_dir_missing' })
    },
  )

  test('may be a script of 10 MB', async () => {
    const { outcome, context } = await run({ command: `: ${'x'.repeat(10_000_000)}\necho end` })
    expect(outcome.type).toBe('completed')
    expect(context.log.text('stdout')).toBe('end\n')
  })

  test('reads its stdin to the end', async () => {
    const stdin = 'line\n'.repeat(100_000)
    const { context } = await run({ command: 'wc -c', stdin })
    expect(context.log.text('stdout').trim()).toBe(String(stdin.length))
  })

  test('without stdin reads nothing', async () => {
    const { outcome, context } = await run({ command: 'cat; readlink /proc/self/fd/0' })
    expect(outcome.type).toBe('completed')
    expect(context.log.text('stdout')).toBe('/dev/null\n')
  })

  test('has no open descriptors but its three streams', async () => {
    const { context } = await run({ command: ['/bin/ls', '/proc/self/fd'] })
    // The fourth is the directory that ls reads.
    expect(context.log.text('stdout')).toBe('0\n1\n2\n3\n')
  })

  test('leads a session of its own and ignores no signals', async () => {
    const { context } = await run({ command: 'cat /proc/$$/stat; grep SigIgn /proc/$$/status' })
    const [stat, ignored] = context.log.text('stdout').split('\n')
    const fields = stat!.split(' ')
    expect(fields[5]).toBe(fields[0])
    const standard = BigInt(`0x${ignored!.split(/\s+/)[1]}`) & 0x7fffffffn
    expect(standard).toBe(0n)
  })

  test('starts in an empty directory of its own, which is removed afterwards', async () => {
    const { context } = await run({ command: 'pwd; ls -A; stat -c %a .; mkdir -p a/b; touch a/b/c; chmod 500 a/b' })
    const [directory, mode] = context.log.text('stdout').trim().split('\n')
    expect(mode).toBe('700')
    const again = await run({ command: `test ! -e ${directory}/a` })
    expect(again.outcome.type).toBe('completed')
  })

  test('never sees files that an earlier command left', async () => {
    for (let i = 0; i < 3; i++) {
      const { context } = await run({ command: 'ls -A; echo secret > file' })
      expect(context.log.text('stdout')).toBe('')
    }
  })

  test('has a clean environment with its own variables and nothing of the server', async () => {
    process.env.MILLRACE_TEST_CANARY = 'the server’s own'
    const { context } = await run(
      { command: ['/usr/bin/env'], environment: { OWN: 'yes', API_TOKEN: '***' } },
      { environment: { MILLRACE_JOB_ID: 'the-id' }, secrets: { 'environment.API_TOKEN': 'opened' } },
    )
    delete process.env.MILLRACE_TEST_CANARY
    const names = Object.fromEntries(
      context.log
        .text('stdout')
        .trim()
        .split('\n')
        .map(line => line.split('=', 2)),
    )
    expect(names).toMatchObject({ OWN: 'yes', API_TOKEN: 'opened', MILLRACE_JOB_ID: 'the-id', LANG: 'C.UTF-8' })
    expect(Object.keys(names).sort()).toEqual(
      ['API_TOKEN', 'HOME', 'LANG', 'MILLRACE_JOB_ID', 'MILLRACE_PROCESS_COOKIE', 'OWN', 'PATH', 'TMPDIR'].sort(),
    )
  })

  test('is run by the shell as a text, and without one as a list', async () => {
    const text = await run({ command: 'echo $HOME | tr a-z A-Z' })
    const list = await run({ command: ['/bin/echo', '$HOME', '|', '*'] })
    expect(text.context.log.text('stdout')).toMatch(/^\/[A-Z0-9/_-]*\n$/)
    expect(list.context.log.text('stdout')).toBe('$HOME | *\n')
  })

  test('that is stopped before it starts never starts', async () => {
    const { outcome, context } = await run(
      { command: 'echo started' },
      { act: context => context.stop.stop('cancelled_by_user', 0) },
    )
    expect(outcome.type).toBe('stopped')
    expect(context.log.text('stdout')).toBe('')
  })

  test('runs beside 40 others without mixing their output', async () => {
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        run({ command: `i=0; while [ $i -lt 50 ]; do echo ${i}; i=$((i+1)); done` }),
      ),
    )
    all.forEach(({ context }, i) => {
      expect(context.log.text('stdout')).toBe(`${i}\n`.repeat(50))
    })
  })
})
