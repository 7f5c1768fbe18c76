import { describe, expect, test } from 'vitest'
import { createMemoryLog, type MemoryLog, until } from './attempt.ts'
import { LAUNCHERS, useExecutor } from './executor.ts'

/** A log that fails or stalls, as given. */
const logWith = (write: (bytes: Uint8Array) => void | Promise<void>): MemoryLog => {
  const log = createMemoryLog()
  return {
    ...log,
    write: (stream, bytes) => {
      const waiting = write(bytes)
      log.write(stream, bytes)
      return waiting
    },
  }
}

const full = (): Error => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })

describe.each(LAUNCHERS)('the output of a command of the %s launcher', launcher => {
  const { run } = useExecutor({ launcher })

  test('arrives while the command runs', async () => {
    const { context } = await run(
      { command: 'echo first; sleep 300' },
      {
        act: async context => {
          await until('the first line is there', () => context.log.text('stdout') === 'first\n')
          context.stop.stop('cancelled_by_user', 0)
        },
      },
    )
    expect(context.log.text('stdout')).toBe('first\n')
  })

  test('passes in bounded memory without any newline', async () => {
    const before = process.memoryUsage().rss
    let most = 0
    const log = logWith(() => {
      most = Math.max(most, process.memoryUsage.rss())
    })
    const { outcome } = await run({ command: 'head -c 1G /dev/zero' }, { log })
    expect(outcome.type).toBe('completed')
    expect(log.bytes()).toBe(1024 ** 3)
    expect(most - before).toBeLessThan(128 * 1024 * 1024)
  })

  test('is complete even if it is written just before the end', async () => {
    for (let i = 0; i < 20; i++) {
      const { context } = await run({ command: ['/usr/bin/head', '-c', '200000', '/dev/zero'] })
      expect(context.log.bytes()).toBe(200_000)
    }
  })

  test('is written to the log one chunk at a time', async () => {
    let waiting = 0
    const log = logWith(async () => {
      waiting++
      await new Promise(resolve => setImmediate(resolve))
      expect(waiting).toBe(1)
      waiting--
    })
    const { outcome } = await run({ command: 'head -c 3M /dev/zero' }, { log })
    expect(outcome.type).toBe('completed')
    expect(log.bytes()).toBe(3 * 1024 * 1024)
  })

  test('is not read while the log is stalled, and the command waits', async () => {
    const gate = Promise.withResolvers<void>()
    const log = logWith(() => gate.promise)
    const running = run({ command: 'head -c 10M /dev/zero; echo end >&2' }, { log })
    await until('the first bytes are there', () => log.bytes() > 0)
    expect(log.bytes()).toBeLessThan(1024 * 1024)
    gate.resolve()
    await running
    expect(log.bytes()).toBe(10 * 1024 * 1024 + 4)
  })

  test.each([
    ['at once', () => Promise.reject(full())],
    [
      'by throwing',
      () => {
        throw full()
      },
    ],
  ])('that meets a full disk (%s) kills the command, which fails with disk_full', async (_, write) => {
    const { outcome } = await run({ command: 'yes' }, { log: logWith(write) })
    expect(outcome).toMatchObject({ type: 'failed', failure: 'user', reason: 'disk_full' })
  })

  test('of a short command that meets a full disk after its end makes it fail too', async () => {
    const { outcome } = await run({ command: 'echo hi' }, { log: logWith(() => Promise.reject(full())) })
    expect(outcome).toMatchObject({ reason: 'disk_full', exit: { exitCode: 0 } })
  })
})
