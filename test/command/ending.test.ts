import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCgroups, removeCgroups } from '../../src/executors/command/launcher/cgroup.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { until } from './attempt.ts'
import { useExecutor } from './executor.ts'
import { fixture, isAlive, readPids } from './processes.ts'

const canUse = (kind: 'cgroup' | 'pids-cgroup'): boolean => {
  const instanceId = `probe-${process.pid}`
  const opened = openCgroups(kind, { instanceId, maxProcesses: 10 })
  removeCgroups(instanceId)
  return opened !== null
}

const WAYS = [
  { launcher: 'native', containment: 'tracking', works: process.platform === 'linux', missing: 'Linux' },
  { launcher: 'native', containment: 'cgroup', works: canUse('cgroup'), missing: 'a writable cgroup v2' },
  { launcher: 'native', containment: 'pids-cgroup', works: canUse('pids-cgroup'), missing: 'a writable pids cgroup' },
  { launcher: 'portable', containment: 'cgroup', works: canUse('cgroup'), missing: 'a writable cgroup v2' },
  { launcher: 'portable', containment: 'pids-cgroup', works: canUse('pids-cgroup'), missing: 'a writable pids cgroup' },
] as const

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-ending-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

for (const { launcher, containment, works, missing } of WAYS) {
  const title = `a command of the ${launcher} launcher held by ${containment}`
  describe.skipIf(!works)(works ? title : `${title} (skipped: needs ${missing})`, () => {
    const { run } = useExecutor({ launcher, containment })
    const file = (name: string): string => join(folder, `${launcher}-${containment}-${name}`)

    test('leaves no grandchild, no session, no daemon and no orphan without environment behind', async () => {
      const pids = file('strays')
      const { outcome } = await run({ command: [fixture('strays.sh'), pids] })
      expect(outcome).toMatchObject({ type: 'completed' })
      expect(readPids(pids)).toHaveLength(5)
      expect(readPids(pids).filter(isAlive)).toEqual([])
    })

    test('keeps its exit code when strays are killed', async () => {
      const { outcome } = await run({ command: [fixture('strays.sh'), file('code'), 'sh', '-c', 'exit 3'] })
      expect(outcome).toMatchObject({ reason: 'exit_code', exit: { exitCode: 3 } })
      expect(readPids(file('code')).filter(isAlive)).toEqual([])
    })

    test('ends on SIGTERM when it is cancelled, with everything it has started', async () => {
      const pids = file('cancel')
      const { outcome } = await run(
        { command: [fixture('strays.sh'), pids, 'sleep', '300'] },
        {
          act: async context => {
            await until('strays are there', () => readPids(pids).length === 5)
            context.stop.stop('cancelled_by_user', 60_000)
          },
        },
      )
      expect(outcome).toEqual({ type: 'stopped', exit: { exitCode: null, signal: 'SIGTERM' } })
      expect(readPids(pids).filter(isAlive)).toEqual([])
    })

    test('that ignores SIGTERM is killed when its grace period is over, and not before', async () => {
      let told = 0
      const { outcome, context } = await run(
        { command: [fixture('stubborn.sh')] },
        {
          act: async context => {
            await until('it runs', () => context.log.text('stdout').includes('\n'))
            told = systemClock.monotonic()
            context.stop.stop('cancelled_by_user', 400)
          },
        },
      )
      expect(outcome).toEqual({ type: 'stopped', exit: { exitCode: null, signal: 'SIGKILL' } })
      expect(systemClock.monotonic() - told).toBeGreaterThanOrEqual(399)
      expect(context.log.text('stdout').split(/\s/).filter(Boolean).map(Number).filter(isAlive)).toEqual([])
    })

    test('is killed at once when its grace period is shortened', async () => {
      const { outcome } = await run(
        { command: [fixture('stubborn.sh')] },
        {
          act: async context => {
            await until('it runs', () => context.log.text('stdout').includes('\n'))
            context.stop.stop('cancelled_by_user', 3_600_000)
            context.stop.stop('shutdown', 0)
          },
        },
      )
      expect(outcome).toEqual({ type: 'stopped', exit: { exitCode: null, signal: 'SIGKILL' } })
    })

    test('that exits within its grace period still counts as stopped', async () => {
      const { outcome } = await run(
        { command: 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done' },
        {
          act: async context => {
            await until('it runs', () => context.log.text('stdout') === 'up\n')
            context.stop.stop('timeout', 60_000)
          },
        },
      )
      expect(outcome).toEqual({ type: 'stopped', exit: { exitCode: 0, signal: null } })
    })

    test('ends when its main process ends, even if a child keeps the streams open', async () => {
      const { outcome, context } = await run({ command: 'sleep 300 & echo $!' })
      expect(outcome.type).toBe('completed')
      expect(isAlive(Number(context.log.text('stdout')))).toBe(false)
    })

    test('continues after closing its streams until its main process ends', async () => {
      const done = file('done')
      const { outcome } = await run({ command: `exec <&- >&- 2>&-; sleep 0.5; echo $$ > ${done}; exit 4` })
      expect(outcome).toMatchObject({ reason: 'exit_code', exit: { exitCode: 4 } })
      expect(readPids(done)).toHaveLength(1)
    })

    test('does not affect a command that runs beside it', async () => {
      const [short, long] = await Promise.all([
        run({ command: [fixture('strays.sh'), file('beside')] }),
        run({ command: 'setsid sh -c "sleep 1; echo done" & wait' }),
      ])
      expect(short.outcome.type).toBe('completed')
      expect(long.context.log.text('stdout')).toBe('done\n')
    })

    test('is killed without grace when its lease expires', async () => {
      const { outcome } = await run(
        { command: [fixture('stubborn.sh')] },
        { leaseSentAt: systemClock.monotonic() - 11_500 },
      )
      expect(outcome).toMatchObject({ type: 'failed', failure: 'system', reason: 'worker_lost' })
    })
  })
}

describe('the portable launcher without cgroups', () => {
  const { run } = useExecutor({ launcher: 'portable', containment: 'tracking' })

  test('kills every process that kept its environment or its session', async () => {
    const pids = join(folder, 'portable-tracking')
    const { outcome } = await run({
      command: `setsid sh -c 'echo $$ >> ${pids}; exec sleep 300' & (sh -c 'echo $$ >> ${pids}; exec sleep 300' &); until [ "$(wc -l < ${pids})" = 2 ]; do sleep 0.02; done`,
    })
    expect(outcome.type).toBe('completed')
    expect(readPids(pids)).toHaveLength(2)
    expect(readPids(pids).filter(isAlive)).toEqual([])
  })
})

describe('the portable launcher without /proc', () => {
  const { run } = useExecutor({ launcher: 'portable', containment: 'group' })

  test('kills the process group of a command, when it ends and when it is cancelled', async () => {
    const ended = await run({ command: 'sleep 300 & echo $!' })
    expect(isAlive(Number(ended.context.log.text('stdout')))).toBe(false)
    const { outcome, context } = await run(
      { command: [fixture('stubborn.sh')] },
      {
        act: async context => {
          await until('it runs', () => context.log.text('stdout').includes('\n'))
          context.stop.stop('cancelled_by_user', 100)
        },
      },
    )
    expect(outcome).toEqual({ type: 'stopped', exit: { exitCode: null, signal: 'SIGKILL' } })
    expect(context.log.text('stdout').split(/\s/).filter(Boolean).map(Number).filter(isAlive)).toEqual([])
  })
})
