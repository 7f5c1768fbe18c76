import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createCommandExecutor } from '../../src/executors/command/command-executor.ts'
import { readChildren } from '../../src/executors/command/launcher/process-table.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { newId } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { claimedJob, createContext, until } from './attempt.ts'
import { LAUNCHERS, useExecutor } from './executor.ts'
import { fixture, isAlive, readPids } from './processes.ts'

const isLinux = process.platform === 'linux'
const WAYS = LAUNCHERS.flatMap(launcher =>
  (['auto', 'tracking'] as const).map(containment => ({ launcher, containment })),
)
/** With cgroups both launchers work the same way. */
const SWEPT_WAYS = WAYS.filter(way => way.launcher === 'native' || way.containment === 'tracking')
type Way = (typeof WAYS)[number]

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-loss-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Leaves strays and continues. Where orphans are not adopted, one without both environment and session cannot be found. */
const strays = ({ launcher, containment }: Way, pids: string) => ({
  command: [fixture('strays.sh'), pids, 'sleep', '300'],
  ...(launcher === 'portable' && containment === 'tracking' && { environment: { TRACEABLE: '1' } }),
})

/** All five run, and are recorded where only the record helps a later launcher. */
const areThere = ({ containment }: Way, pids: string, dataDir: string): boolean => {
  const there = readPids(pids)
  if (there.length < 5) return false
  if (containment !== 'tracking') return true
  const record = readFileSync(join(dataDir, 'launcher', 'processes'), 'utf8')
  return there.every(pid => record.includes(`\n${pid} `))
}

/** The launcher among the children of a process. */
const launcherOf = (pid: number): number =>
  (readChildren(pid) ?? []).find(child => commandLine(child).includes('launcher/main'))!

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

describe.skipIf(!isLinux)(`when the launcher is killed${isLinux ? '' : ' (needs /proc)'}`, () => {
  describe.each(WAYS)('($launcher, $containment)', way => {
    const { run, executor, options } = useExecutor(way)

    test('its commands are killed and fail as system failures, and the next command runs', async () => {
      const pids = join(folder, newId())
      const { outcome } = await run(strays(way, pids), {
        act: async () => {
          await until('strays are there', () => areThere(way, pids, options.dataDir))
          process.kill(launcherOf(process.pid), 'SIGKILL')
        },
      })
      expect(outcome).toMatchObject({ type: 'failed', failure: 'system', reason: 'launcher_lost' })
      expect(readPids(pids).filter(isAlive)).toEqual([])
      const next = await run({ command: 'echo next' })
      expect(next.context.log.text('stdout')).toBe('next\n')
      expect(await executor.health!()).not.toContainEqual(expect.objectContaining({ severity: 'unavailable' }))
    })
  })
})

describe.skipIf(!isLinux)(`when the server is killed${isLinux ? '' : ' (needs /proc)'}`, () => {
  describe.each(SWEPT_WAYS)('($launcher, $containment)', way => {
    let server: ChildProcess | undefined
    afterEach(() => {
      server?.kill('SIGKILL')
    })

    /** A server that runs strays, in a data directory of its own. */
    const startServer = async ({ leaseAge = 0 } = {}) => {
      const pids = join(folder, newId())
      const dataDir = join(folder, newId())
      mkdirSync(dataDir)
      const options = {
        ...way,
        dataDir,
        jobUser: null,
        sandbox: 'none',
        maxProcesses: 100,
        instanceId: newId(),
      } as const
      const input = JSON.stringify({ ...options, leaseAge, spec: strays(way, pids) })
      const flags = ['--disable-warning=ExperimentalWarning']
      server = spawn(process.execPath, [...flags, fixture('server.ts'), input], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const { pid } = server
      await until('strays are there', () => areThere(way, pids, dataDir))
      return { pid: pid!, launcher: launcherOf(pid!), pids, options }
    }

    test('its launcher kills all commands at once and then exits', async () => {
      const { pid, launcher, pids } = await startServer()
      process.kill(pid, 'SIGKILL')
      await until('the launcher is gone', () => !isAlive(launcher))
      expect(readPids(pids).filter(isAlive)).toEqual([])
    })

    test('with its launcher, the next server kills the strays before it is ready', async () => {
      const { pid, launcher, pids, options } = await startServer()
      // Stopped first, so that neither notices that the other is gone.
      for (const victim of [pid, launcher]) process.kill(victim, 'SIGSTOP')
      for (const victim of [launcher, pid]) process.kill(victim, 'SIGKILL')
      await until('both are gone', () => !isAlive(pid) && !isAlive(launcher))
      expect(readPids(pids).filter(isAlive)).toHaveLength(5)

      const next = createCommandExecutor({ ...options, logger: silentLogger, clock: systemClock })
      await next.start!()
      expect(readPids(pids).filter(isAlive)).toEqual([])
      await next.stop!()
    })
  })

  test('strays of another installation are left alone', async () => {
    const mine = join(folder, newId())
    const other = createCommandExecutor({
      dataDir: mkdtempSync(join(folder, 'other-')),
      jobUser: null,
      sandbox: 'none',
      launcher: 'auto',
      maxProcesses: 100,
      instanceId: newId(),
      logger: silentLogger,
      clock: systemClock,
    })
    await run(
      { command: [fixture('strays.sh'), mine, 'sleep', '300'] },
      {
        act: async context => {
          await until('strays are there', () => readPids(mine).length === 5)
          await other.start!()
          await other.stop!()
          expect(readPids(mine).filter(isAlive)).toHaveLength(5)
          context.stop.stop('cancelled_by_user', 0)
        },
      },
    )
  })
  const { run } = useExecutor()
})

describe.skipIf(!isLinux)(`when the server hangs${isLinux ? '' : ' (needs /proc)'}`, () => {
  test('its commands are killed before their lease expires', async () => {
    const way: Way = { launcher: 'native', containment: 'auto' }
    const pids = join(folder, newId())
    const dataDir = mkdtempSync(join(folder, 'hang-'))
    const input = { ...way, dataDir, jobUser: null, sandbox: 'none', maxProcesses: 100, instanceId: newId() }
    const text = JSON.stringify({ ...input, leaseAge: 8_000, spec: strays(way, pids) })
    const server = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', fixture('server.ts'), text], {
      stdio: 'ignore',
    })
    try {
      await until('strays are there', () => areThere(way, pids, dataDir))
      server.kill('SIGSTOP')
      await until('all are dead', () => readPids(pids).filter(isAlive).length === 0)
    } finally {
      server.kill('SIGKILL')
    }
  })
})

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0

describe.skipIf(!isLinux || !hasPrlimit)(
  `when its launcher may open no more files${isLinux && hasPrlimit ? '' : ' (needs prlimit)'}`,
  () => {
    const { executor, run } = useExecutor()
    const mayOpen = (files: number | string): void => {
      const { status } = spawnSync('prlimit', [`--pid=${launcherOf(process.pid)}`, `--nofile=${files}:`])
      expect(status).toBe(0)
    }
    const opened = (): number => readdirSync(`/proc/${launcherOf(process.pid)}/fd`).length

    test('a new command is a system failure, and running ones continue', async () => {
      const before = readFileSync(`/proc/${launcherOf(process.pid)}/limits`, 'utf8')
      const usual = /^Max open files +(\d+)/m.exec(before)![1]!
      const sign = join(folder, newId())
      const first = executor.run(
        claimedJob({ command: `touch '${sign}'; while [ -e '${sign}' ]; do sleep 0.1; done` }),
        createContext(),
      )
      await until('it runs', () => existsSync(sign))
      mayOpen(opened())
      const { outcome } = await run({ command: 'true' })
      expect(outcome).toMatchObject({ type: 'failed', failure: 'system', reason: 'spawn_failed' })
      mayOpen(usual)
      rmSync(sign)
      expect(await first).toMatchObject({ type: 'completed' })
      expect((await run({ command: 'true' })).outcome).toMatchObject({ type: 'completed' })
    })

    test('a program that does not exist leaves the launcher alive, however few files it may still open', async () => {
      const launcher = launcherOf(process.pid)
      const usual = /^Max open files +(\d+)/m.exec(readFileSync(`/proc/${launcher}/limits`, 'utf8'))![1]!
      for (let left = 0; left < 12; left++) {
        mayOpen(opened() + left)
        const { outcome } = await run({ command: ['/no/such/program'] })
        expect(outcome.type).toBe('failed')
        expect(launcherOf(process.pid)).toBe(launcher)
      }
      mayOpen(usual)
    })

    test('processes that a command leaves behind are killed once files can be opened again', async () => {
      const launcher = launcherOf(process.pid)
      const usual = /^Max open files +(\d+)/m.exec(readFileSync(`/proc/${launcher}/limits`, 'utf8'))![1]!
      const [sign, pids] = [join(folder, newId()), join(folder, newId())]
      const left = `sleep 300 & echo $$ $! > '${pids}'; touch '${sign}'; while [ -e '${sign}' ]; do sleep 0.1; done`
      const command = executor.run(claimedJob({ command: left }), createContext())
      await until('it runs', () => existsSync(sign))
      const [main, child] = readFileSync(pids, 'utf8').trim().split(' ').map(Number)
      // No descriptor at all.
      mayOpen(3)
      rmSync(sign)
      await until('its main process has ended', () => !existsSync(`/proc/${main}`))
      expect(launcherOf(process.pid)).toBe(launcher)
      mayOpen(usual)
      expect(await command).toMatchObject({ type: 'completed' })
      await until('what it left has ended', () => !isAlive(child!))
      expect(launcherOf(process.pid)).toBe(launcher)
    })
  },
)

describe('a lease', () => {
  const { executor } = useExecutor()

  test('that has expired before its command starts keeps it from starting', async () => {
    const mark = join(folder, newId())
    const context = createContext({ leaseSentAt: systemClock.monotonic() - 12_500 })
    const outcome = await executor.run(claimedJob({ command: `touch '${mark}'` }), context)
    expect(outcome).toMatchObject({ type: 'failed', failure: 'system', reason: 'worker_lost' })
    expect(existsSync(mark)).toBe(false)
  })

  test('that is renewed keeps its command running', async () => {
    const job = claimedJob({ command: 'sleep 2; echo end' })
    const context = createContext({ leaseSentAt: systemClock.monotonic() - 11_000 })
    const running = executor.run(job, context)
    executor.leasesRenewed!([{ jobId: job.id, attempt: job.attempt }], systemClock.monotonic())
    const renewing = setInterval(
      () => executor.leasesRenewed!([{ jobId: job.id, attempt: job.attempt }], systemClock.monotonic()),
      100,
    )
    expect(await running).toMatchObject({ type: 'completed' })
    clearInterval(renewing)
  })

  test('counts from when its renewal was sent, not from when it arrived', async () => {
    const job = claimedJob({ command: 'sleep 300' })
    const running = executor.run(job, createContext({ leaseSentAt: systemClock.monotonic() - 11_500 }))
    const renewing = setInterval(
      () => executor.leasesRenewed!([{ jobId: job.id, attempt: job.attempt }], systemClock.monotonic() - 20_000),
      50,
    )
    expect(await running).toMatchObject({ failure: 'system', reason: 'worker_lost' })
    clearInterval(renewing)
  })
})

const isLinuxRoot = isLinux && process.getuid?.() === 0

describe.skipIf(!isLinuxRoot)(`an executor that cannot start${isLinuxRoot ? '' : ' (needs root)'}`, () => {
  const { executor, options } = useExecutor()

  test('leaves no launcher behind', async () => {
    await executor.stop!()
    const scratch = join(options.dataDir, 'scratch')
    mkdirSync(scratch)
    chownSync(scratch, 1, 1)
    await executor.start!()
    expect(await executor.health!()).toMatchObject([{ severity: 'unavailable' }])
    expect(launcherOf(process.pid)).toBeUndefined()
  })
})

describe.skipIf(!isLinux)(
  `an executor that stops while its launcher is replaced${isLinux ? '' : ' (needs /proc)'}`,
  () => {
    const { executor } = useExecutor()

    test('leaves no launcher behind', async () => {
      const first = launcherOf(process.pid)
      process.kill(first, 'SIGKILL')
      await until('the next one starts', () => ![undefined, first].includes(launcherOf(process.pid)))
      await executor.stop!()
      expect(launcherOf(process.pid)).toBeUndefined()
    })
  },
)
