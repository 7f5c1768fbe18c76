import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createApiExecutor } from '../../src/executors/api/api-executor.ts'
import { readChildren } from '../../src/executors/command/launcher/process-table.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { claimedJob, createContext, until } from '../command/attempt.ts'
import { isAlive } from '../command/processes.ts'
import { useFunctions } from './functions.ts'

describe('a function that is told to stop', () => {
  const { start, write, executor } = useFunctions({ hosts: 2 })

  test('is told by ctx.signal, may clean up, and leaves its host alive', async () => {
    write(
      'listens.js',
      `export default (_, { signal }) => new Promise(end => {
         console.log(process.pid)
         signal.addEventListener('abort', () => { console.log('cleaned'); end(signal.reason.message) })
       })`,
    )
    const { context, outcome } = start({ api: 'listens' })
    await until('it runs', () => context.log.text('stdout') !== '')
    context.stop.stop('cancelled_by_user', 60_000)
    expect((await outcome).type).toBe('completed')
    const [pid, cleaned] = context.log.text('stdout').split('\n')
    expect(cleaned).toBe('cleaned')
    expect(isAlive(Number(pid))).toBe(true)
  })

  test('finds ctx.signal aborted even if it reads it later', async () => {
    write(
      'asks.js',
      'export default async (_, ctx) => { console.log(1); while (!ctx.signal.aborted) await new Promise(go => setTimeout(go, 5)); return "aborted" }',
    )
    const { context, outcome } = start({ api: 'asks' })
    await until('it runs', () => context.log.text('stdout') !== '')
    context.stop.stop('timeout', 60_000)
    expect((await outcome).type).toBe('completed')
  })

  test.each([
    ['loops for ever', 'for (;;) {}'],
    ['waits for ever', 'return new Promise(() => {})'],
    ['ignores it', 'process.on("SIGTERM", () => {}); for (;;) {}'],
  ])('that %s is killed after the grace period', async (what, body) => {
    const name = what.replaceAll(' ', '-')
    write(`${name}.js`, `export default () => { console.log(process.pid); ${body} }`)
    const { context, outcome } = start({ api: name })
    await until('it runs', () => context.log.text('stdout') !== '')
    context.stop.stop('timeout', 50)
    expect(await outcome).toEqual({ type: 'stopped', exit: { exitCode: null, signal: 'SIGKILL' } })
    expect(isAlive(Number(context.log.text('stdout')))).toBe(false)
  })

  test('is killed sooner when the grace period is shortened', async () => {
    write('waits.js', 'export default () => { console.log(1); return new Promise(() => {}) }')
    const { context, outcome } = start({ api: 'waits' })
    await until('it runs', () => context.log.text('stdout') !== '')
    context.stop.stop('cancelled_by_user', 3_600_000)
    context.stop.stop('cancelled_by_user', 0)
    expect((await outcome).type).toBe('stopped')
  })

  test('is killed while it is still loading', async () => {
    write('top-loop.js', 'console.log(1); for (;;) {}\nexport default () => 1')
    const { context, outcome } = start({ api: 'top-loop' })
    await until('it loads', () => context.log.text('stdout') !== '')
    context.stop.stop('cancelled_by_user', 0)
    expect((await outcome).type).toBe('stopped')
  })

  test('never starts if it was still waiting for a host', async () => {
    write('waits.js', 'export default () => { console.log(1); return new Promise(() => {}) }')
    const busy = [start({ api: 'waits' }), start({ api: 'waits' })]
    await until('both hosts work', () => busy.every(({ context }) => context.log.text('stdout') !== ''))
    const waiting = start({ api: 'waits' })
    waiting.context.stop.stop('cancelled_by_user', 60_000)
    expect(await waiting.outcome).toEqual({ type: 'stopped' })
    expect(waiting.context.log.text('stdout')).toBe('')
    for (const { context } of busy) context.stop.stop('shutdown', 0)
    for (const { outcome } of busy) expect((await outcome).type).toBe('stopped')
  })

  test('never starts if it was stopped before any work was done', async () => {
    const stopped = createContext()
    stopped.stop.stop('cancelled_by_user', 0)
    const job = { ...claimedJob({ api: 'waits' }), kind: 'api' as const }
    expect(await executor.run(job, stopped)).toEqual({ type: 'stopped' })
  })

  test('does not use up its timeout while it waits for a host', async () => {
    write(
      'until.js',
      'export default (_, { signal }) => { console.log(1); return new Promise(end => signal.addEventListener("abort", () => end(1))) }',
    )
    write('quick.js', 'export default () => 1')
    const busy = [start({ api: 'until' }), start({ api: 'until' })]
    await until('both hosts work', () => busy.every(({ context }) => context.log.text('stdout') !== ''))
    const waiting = start({ api: 'quick' }, { job: { timeoutMs: 100 } })
    await until('its clock was restarted while it waits', () => waiting.context.timeoutsExtended >= 3)
    for (const { context } of busy) context.stop.stop('cancelled_by_user', 60_000)
    expect((await waiting.outcome).type).toBe('completed')
    await Promise.all(busy.map(({ outcome }) => outcome))
  })
})

describe('hosts', () => {
  let ahead = 0
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + ahead }
  const { run, start, write } = useFunctions({ clock })

  test('end after a minute without work', async () => {
    write('pid.js', 'export default () => process.pid')
    const { result } = await run('pid')
    expect(isAlive(result as number)).toBe(true)
    ahead += 61_000
    await until('the host has ended', () => !isAlive(result as number))
    expect((await run('pid')).outcome.type).toBe('completed')
  })

  test('that are killed from outside fail only the item they run', async () => {
    write('waits.js', 'export default () => { console.log(process.pid); return new Promise(() => {}) }')
    const { context, outcome } = start({ api: 'waits' })
    await until('it runs', () => context.log.text('stdout') !== '')
    process.kill(Number(context.log.text('stdout')), 'SIGKILL')
    expect(await outcome).toMatchObject({ failure: 'user', reason: 'function_crashed', exit: { signal: 'SIGKILL' } })
    expect((await run('pid')).outcome.type).toBe('completed')
  })
})

describe('the folder of hosts', () => {
  const { run, write, dataDir } = useFunctions({ hosts: 1 })
  const folder = join(dataDir, 'functions')

  test('has nothing left of a host whose item has ended', async () => {
    write(
      'litters.js',
      `
      import { writeFileSync } from 'node:fs'
      export default () => {
        for (let i = 0; i < 3000; i++) writeFileSync(process.env.TMPDIR + '/' + i, '')
        process.exit(0)
      }`,
    )
    expect((await run('litters')).outcome).toMatchObject({ reason: 'function_crashed' })
    expect(readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory())).toEqual([])
  })

  test.each([
    ['is removed', () => {}],
    ['is replaced by a file', () => writeFileSync(folder, '')],
  ])('is created again after it %s', async (_, replace) => {
    write('exits.js', 'export default () => process.exit(0)')
    write('one.js', 'export default () => 1')
    expect((await run('exits')).outcome).toMatchObject({ reason: 'function_crashed' })
    rmSync(folder, { recursive: true })
    replace()
    expect((await run('one')).outcome.type).toBe('completed')
    expect((await run('exits')).outcome).toMatchObject({ reason: 'function_crashed' })
  })
})

describe('an executor that stops', () => {
  const { start, write, executor } = useFunctions()

  test('leaves no host behind, busy or idle', async () => {
    write('waits.js', 'export default () => { console.log(process.pid); return new Promise(() => {}) }')
    const { context, outcome } = start({ api: 'waits' })
    await until('it runs', () => context.log.text('stdout') !== '')
    await executor.stop!()
    expect(await outcome).toMatchObject({ exit: { signal: 'SIGKILL' } })
    expect(isAlive(Number(context.log.text('stdout')))).toBe(false)
    expect(await executor.health!()).toMatchObject([{ severity: 'unavailable' }])
  })
})

describe('an executor that cannot start', () => {
  const { executor, options } = useFunctions()

  test('leaves no launcher behind', async () => {
    await executor.stop!()
    const before = readChildren(process.pid)
    const broken = createApiExecutor({ ...options, dataDir: join(options.dataDir, 'missing') })
    await broken.start!()
    expect(await broken.health!()).toMatchObject([{ severity: 'unavailable' }])
    expect(readChildren(process.pid)).toEqual(before)
  })
})
