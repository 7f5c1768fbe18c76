import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCommandExecutor } from '../../src/executors/command/command-executor.ts'
import { openCgroups, removeCgroups } from '../../src/executors/command/launcher/cgroup.ts'
import { sandboxed } from '../../src/executors/command/sandbox.ts'
import { hasBubblewrap, SANDBOXED, works } from '../bubblewrap.ts'
import { until } from './attempt.ts'
import { LAUNCHERS, useExecutor } from './executor.ts'
import { fixture } from './processes.ts'

const isRoot = process.getuid?.() === 0

describe.skipIf(!isRoot)(`with MILLRACE_JOB_USER${isRoot ? '' : ' (needs root)'}`, () => {
  describe.each(LAUNCHERS)('a command of the %s launcher', launcher => {
    const { run, options, executor } = useExecutor({ launcher, jobUser: 'nobody' })

    test('permanently has the ids of that user, and no other groups', async () => {
      const { context } = await run({ command: 'grep -E "^(Uid|Gid|Groups):" /proc/self/status; echo $HOME' })
      const [uid, gid, groups, home] = context.log.text('stdout').split('\n')
      expect(uid).toMatch(/^Uid:\t(\d+)\t\1\t\1\t\1$/)
      expect(uid).not.toMatch(/\b0\b/)
      expect(gid).toMatch(/^Gid:\t(\d+)\t\1\t\1\t\1$/)
      expect(gid).not.toMatch(/\b0\b/)
      expect(groups!.trim()).toBe('Groups:')
      expect(home).not.toBe('/root')
    })

    test('cannot become root again', async () => {
      const { context } = await run({ command: 'grep -E "^Cap(Prm|Eff)" /proc/self/status; kill -0 1' })
      expect(context.log.text('stdout')).toBe('CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n')
      expect(context.log.text('stderr')).toMatch(/not permitted/)
    })

    test('cannot read the data directory', async () => {
      writeFileSync(join(options.dataDir, 'secret-key'), 'secret', { mode: 0o644 })
      const { outcome } = await run({ command: ['/bin/cat', join(options.dataDir, 'secret-key')] })
      expect(outcome).toMatchObject({ reason: 'exit_code' })
    })

    test('can write in its directory, read its stdin, run a long script and open its streams by name', async () => {
      const { context } = await run({
        command: `: ${'x'.repeat(200_000)}\ncat > f; cat f; echo e > /dev/stderr`,
        stdin: 'in',
      })
      expect(context.log.text('stdout')).toBe('in')
      expect(context.log.text('stderr')).toBe('e\n')
    })

    test('cannot enter a directory that is closed to that user', async () => {
      const { outcome } = await run({ command: 'true', working_dir: '/root' })
      expect(outcome).toMatchObject({ failure: 'user', reason: 'working_dir_missing' })
    })

    test('leaves nothing in its directory, whatever the modes', async () => {
      const { context } = await run({
        command: 'pwd; mkdir -p a/b; touch a/b/c; ln -s /etc/passwd a/l; chmod 0 a/b; chmod 500 a .',
      })
      const directory = context.log.text('stdout').trim()
      expect(() => execFileSync('ls', [directory], { stdio: 'ignore' })).toThrow()
    })

    test('invariant 11: is isolated from the server but not from others of that user, and health says so', async () => {
      const problems = await executor.health!()
      expect(problems.filter(problem => problem.message.includes('not isolated'))).toEqual([])
      expect(problems.some(problem => problem.message.includes('secrets of other running jobs'))).toBe(true)
    })
  })

  test('a native command gains no privileges from set-user-ID programs', async () => {
    const { context } = await native.run({ command: 'grep NoNewPrivs /proc/self/status' })
    expect(context.log.text('stdout')).toBe('NoNewPrivs:\t1\n')
  })
  const native = useExecutor({ launcher: 'native', jobUser: 'nobody' })

  test.each([['no-such-user-here'], ['']])('the user %j is refused with a clear problem', async jobUser => {
    const executor = createCommandExecutor({ ...native.options, jobUser })
    await executor.start!()
    expect(await executor.health!()).toEqual([
      { severity: 'unavailable', message: `MILLRACE_JOB_USER: there is no user ${JSON.stringify(jobUser)}` },
    ])
    await executor.stop!()
  })
})

describe.skipIf(!isRoot)(`with MILLRACE_JOB_USER and no cgroup${isRoot ? '' : ' (needs root)'}`, () => {
  describe.each(LAUNCHERS)('a fork bomb of the %s launcher', launcher => {
    const { run, executor } = useExecutor({ launcher, jobUser: 'nobody', containment: 'tracking', maxProcesses: 60 })

    test('is stopped by the process limit of its user, and is killed', async () => {
      const { outcome } = await run(
        { command: 'bomb() { bomb | bomb & }; bomb 2>&1; exec sleep 300' },
        {
          act: async context => {
            await until('the limit is reached', () => context.log.text('stdout').includes('Cannot fork'))
            context.stop.stop('cancelled_by_user', 0)
          },
        },
      )
      expect(outcome.type).toBe('stopped')
      const problems = await executor.health!()
      expect(problems.filter(({ message }) => message.includes('MAX_PROCESSES'))).toEqual([])
    })
  })
})

describe('without a job user or a sandbox', () => {
  const { executor } = useExecutor()

  test('health says that commands are not isolated', async () => {
    const problems = await executor.health!()
    expect(problems.some(({ severity, message }) => severity === 'warning' && message.includes('not isolated'))).toBe(
      true,
    )
  })
})

/** A system that allows a sandbox, but none within it. */
const WITHOUT_NESTED = [
  '--user',
  '--map-root-user',
  'sh',
  '-c',
  'echo 1 > /proc/sys/user/max_pid_namespaces && exec "$@"',
  'sh',
]
const canRefuseNested = hasBubblewrap && works('unshare', [...WITHOUT_NESTED, 'bwrap', ...SANDBOXED])

test.skipIf(!canRefuseNested)(
  `a system that refuses a sandbox within a sandbox is reported at the start${canRefuseNested ? '' : ' (needs unshare)'}`,
  () => {
    const folder = new URL('../../src/executors/command/', import.meta.url).href
    const script = `
      const { findSandboxProblems } = await import('${folder}sandbox.ts')
      const { resolveJobUser } = await import('${folder}job-user.ts')
      console.log(JSON.stringify(await findSandboxProblems(resolveJobUser(null))))`
    const argv = [...WITHOUT_NESTED, process.execPath, '--input-type=module', '--eval', script]
    const problems = JSON.parse(execFileSync('unshare', argv, { encoding: 'utf8' }))
    expect(problems).toEqual([
      {
        severity: 'warning',
        message: expect.stringMatching(
          /^Commands with a working_dir fail, .*sandbox within a sandbox: bubblewrap does not/,
        ),
      },
    ])
  },
)

describe.skipIf(!hasBubblewrap)(`in a bubblewrap sandbox${hasBubblewrap ? '' : ' (needs a working bwrap)'}`, () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-sandbox-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  describe.each(LAUNCHERS)('a command of the %s launcher', launcher => {
    const { run, options, executor } = useExecutor({ launcher, sandbox: 'bubblewrap' })

    test('runs, with its output, exit code, stdin and artifacts', async () => {
      const { outcome, context } = await run({ command: 'cat; echo a > a; exit 5', stdin: 'in', artifacts: ['a'] })
      expect(outcome).toMatchObject({ reason: 'exit_code', exit: { exitCode: 5 } })
      expect(context.log.text('stdout')).toBe('in')
      expect([...context.artifacts.keys()]).toEqual(['a'])
    })

    test('runs a script that is too long for an argument', async () => {
      const { context } = await run({ command: `: ${'x'.repeat(200_000)}\necho end` })
      expect(context.log.text('stdout')).toBe('end\n')
    })

    test('sees no processes but its own', async () => {
      const { context } = await run({ command: 'ls /proc | grep -c "^[0-9]"' })
      expect(Number(context.log.text('stdout'))).toBeLessThan(8)
    })

    test('does not see the data directory', async () => {
      writeFileSync(join(options.dataDir, 'secret-key'), 'secret')
      const { outcome, context } = await run({
        command: `cat ${options.dataDir}/secret-key || ls -A ${options.dataDir}`,
        working_dir: '/',
      })
      expect(outcome.type).toBe('completed')
      expect(context.log.text('stdout')).not.toContain('secret')
    })

    test('sees no other processes when it works in /proc, and none of them becomes an artifact', async () => {
      const artifacts = ['[0-9]*/environ', '[0-9]*/cmdline']
      const command = `ls -d [0-9]* | wc -l; grep -l "${basename(folder)}" */cmdline; true`
      const sleeping = spawn('/bin/sh', ['-c', `sleep 600; : ${folder}`])
      const { outcome, context } = await run({ command, working_dir: '/proc', artifacts })
      sleeping.kill('SIGKILL')
      const [count, ...found] = context.log.text('stdout').trim().split('\n')
      expect(Number(count)).toBeLessThan(10)
      expect(found.join()).not.toContain(String(sleeping.pid))
      expect(outcome.type).toBe('completed')
      expect([...context.artifacts.keys()]).toEqual([])
    })

    test('gets its SIGTERM and its grace period with its own working_dir', async () => {
      const { outcome, context } = await run(
        { command: 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.05; done', working_dir: folder },
        {
          act: async context => {
            await until('it runs', () => context.log.text('stdout') === 'up\n')
            context.stop.stop('cancelled_by_user', 60_000)
          },
        },
      )
      expect(outcome).toMatchObject({ type: 'stopped', exit: { exitCode: 3 } })
      expect(context.log.text('stdout')).toBe('up\nbye\n')
    })

    test('can write only to its working directory and a private /tmp', async () => {
      const { context } = await run({
        command:
          'touch here && echo 1; touch /tmp/x && echo 2; ls /tmp | grep -v millrace-; touch /etc/x || echo 3; touch /var/x || echo 4',
        working_dir: folder,
      })
      expect(context.log.text('stdout')).toBe('1\n2\nx\n3\n4\n')
    })

    test('can have a working directory that contains the data directory, but not write there', async () => {
      const { outcome } = await run({ command: `touch ${tmpdir()}/../millrace-x`, working_dir: '/' })
      expect(outcome).toMatchObject({ reason: 'exit_code' })
    })

    test('gets its SIGTERM and its grace period', async () => {
      const { outcome, context } = await run(
        { command: 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done' },
        {
          act: async context => {
            await until('it runs', () => context.log.text('stdout') === 'up\n')
            context.stop.stop('cancelled_by_user', 60_000)
          },
        },
      )
      expect(outcome.type).toBe('stopped')
      expect(context.log.text('stdout')).toBe('up\nbye\n')
    })

    test('leaves nothing behind', async () => {
      // The checkout may lie below /tmp, of which the sandbox has its own.
      const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-sandbox-')))
      copyFileSync(fixture('strays.sh'), join(folder, 'strays.sh'))
      const command = [join(folder, 'strays.sh'), join(folder, 'pids'), 'cat', '/proc/self/status']
      const { outcome, context } = await run({ command, working_dir: folder })
      rmSync(folder, { recursive: true })
      expect(outcome.type).toBe('completed')
      const inside = /^NSpid:.*\t(\d+)$/m.exec(context.log.text('stdout'))
      expect(inside).not.toBeNull()
      await until('no process of the sandbox is left', () => !commandLines().some(line => line.includes('strays.sh')))
    })

    test.each([['no-such-program'], ['x'.repeat(5000)]])('reports which program is missing', async program => {
      const { outcome } = await run({ command: [program] })
      expect(outcome).toMatchObject({ reason: 'command_not_found' })
    })

    test('is isolated, so health reports no problem', async () => {
      const problems = await executor.health!()
      expect(problems.filter(({ message }) => /boundary|sandbox|secrets/i.test(message))).toEqual([])
    })
  })

  test.each([
    ['a link to a hidden directory', 'hidden'],
    ['a link to one within it', 'hidden/within'],
    ['a link to one that holds it', '.'],
  ])('a working directory that became %s after the check shows nothing of its target', (_, target) => {
    const root = realpathSync(mkdtempSync(join(folder, 'exchanged-')))
    mkdirSync(join(root, 'hidden/within'), { recursive: true })
    for (const place of ['hidden', 'hidden/within']) writeFileSync(join(root, place, 'secret'), 'secret')
    const workingDir = join(root, 'work')
    symlinkSync(target, workingDir)
    const command = 'cat secret hidden/secret ../hidden/secret within/secret; ls -R . >&2'
    const [file, ...argv] = sandboxed({
      argv: ['/bin/sh', '-c', command],
      workingDir,
      isMovable: true,
      writable: [],
      shown: [],
      hidden: [join(root, 'hidden')],
      asRoot: isRoot,
      asOther: false,
    })
    const { stdout, stderr } = spawnSync(file, argv, { encoding: 'utf8' })
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^cat: secret: No such file|^bwrap: Can't/)
  })

  describe.skipIf(!isRoot)(`as another user${isRoot ? '' : ' (needs root)'}`, () => {
    const asUser = ['--reuid', 'nobody', '--clear-groups', 'bwrap', ...SANDBOXED]
    const hasUserNamespaces = works('setpriv', asUser)
    const { run } = useExecutor({ sandbox: 'bubblewrap', jobUser: 'nobody' })

    test.skipIf(!hasUserNamespaces)(
      `a command is isolated in both ways${hasUserNamespaces ? '' : ' (needs user namespaces)'}`,
      async () => {
        const chosen = mkdtempSync(join(folder, 'chosen-'))
        for (const place of [folder, chosen]) chmodSync(place, 0o777)
        for (const more of [{}, { working_dir: chosen }]) {
          const { context } = await run({ command: 'grep Uid /proc/self/status; touch here && echo ok', ...more })
          expect(context.log.text('stdout')).toMatch(/^Uid:\t(\d{2,})\t\1\t\1\t\1\nok\n$/)
        }
      },
    )
  })
})

const commandLines = (): readonly string[] => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n')

const canLimit = (): boolean => {
  const instanceId = `probe-limit-${process.pid}`
  const limited = (['cgroup', 'pids-cgroup'] as const).some(
    kind => openCgroups(kind, { instanceId, maxProcesses: 50 })?.limited,
  )
  removeCgroups(instanceId)
  return limited
}
const limits = canLimit()

describe.skipIf(!limits)(`a fork bomb${limits ? '' : ' (needs a writable pids cgroup)'}`, () => {
  describe.each(LAUNCHERS)('of the %s launcher', launcher => {
    const { run } = useExecutor({ launcher, maxProcesses: 50 })
    const bomb = 'bomb() { bomb | bomb & }; bomb 2>/dev/null; exec sleep 300'

    test('is stopped by the process limit, does not hinder a command beside it, and is killed', async () => {
      const beside = Promise.withResolvers<string>()
      const { outcome } = await run(
        { command: bomb },
        {
          act: async context => {
            const { outcome } = await run({ command: 'i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done' })
            beside.resolve(outcome.type)
            context.stop.stop('cancelled_by_user', 0)
          },
        },
      )
      expect(await beside.promise).toBe('completed')
      expect(outcome.type).toBe('stopped')
    })

    test('leaves a cgroup in which the next command can fork', async () => {
      await run({ command: `${bomb} & sleep 0.2` })
      const { outcome } = await run({ command: 'for i in 1 2 3; do /bin/true; done; sleep 0.01' })
      expect(outcome.type).toBe('completed')
    })
  })
})
