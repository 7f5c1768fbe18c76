import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COOKIE_VARIABLE } from '../../src/executors/launched-process.ts'
import { hasBubblewrap } from '../bubblewrap.ts'
import { until } from '../command/attempt.ts'
import { isAlive } from '../command/processes.ts'
import { useFunctions } from './functions.ts'

const PID = 'export default () => process.pid'

describe('items that share a host', () => {
  const { run, write, folder } = useFunctions({ hosts: 1 })

  test('share the state of modules', async () => {
    write('count.js', 'let count = 0; export default () => ({ pid: process.pid, count: ++count })')
    const first = (await run('count')).result as { pid: number }
    expect((await run('count')).result).toEqual({ pid: first.pid, count: 2 })
  })

  test('invariant 11: have their own environment and never the server’s', async () => {
    process.env.MILLRACE_TEST_SERVER_SECRET = 'of the server'
    write('environment.js', 'export default (_, ctx) => [{ ...process.env }, ctx.environment]')
    const spec = { environment: { API_TOKEN: '***', COLOUR: 'red' } }
    const { result } = await run('environment', spec, {
      secrets: { 'environment.API_TOKEN': 'secret one' },
      environment: { MILLRACE_TOKEN: 'token one' },
    })
    const [own, given] = result as [Record<string, string>, Record<string, string>]
    expect(given).toEqual({ API_TOKEN: 'secret one', COLOUR: 'red' })
    expect(own).toMatchObject({ API_TOKEN: 'secret one', COLOUR: 'red', MILLRACE_TOKEN: 'token one' })
    expect(Object.keys(own).sort()).toEqual(
      ['API_TOKEN', 'COLOUR', COOKIE_VARIABLE, 'HOME', 'LANG', 'MILLRACE_TOKEN', 'PATH', 'TMPDIR'].sort(),
    )
    const [next, none] = (await run('environment')).result as [Record<string, string>, Record<string, string>]
    expect(none).toEqual({})
    expect(JSON.stringify(next)).not.toMatch(/one|red|of the server/)
    delete process.env.MILLRACE_TEST_SERVER_SECRET
  })

  test('do not see what another did to the environment or the working directory', async () => {
    write('spoil.js', 'export default () => { process.env.SPOILT = "1"; delete process.env.PATH; process.chdir("/") }')
    write('look.js', 'export default () => [process.env.SPOILT ?? null, typeof process.env.PATH, process.cwd()]')
    await run('spoil')
    expect((await run('look')).result).toEqual([null, 'string', expect.not.stringMatching(/^\/$/)])
  })

  test('start in an empty directory', async () => {
    write(
      'files.js',
      `import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
       import { tmpdir } from 'node:os'
       export default () => {
         const found = [...readdirSync('.'), ...readdirSync(tmpdir())]
         mkdirSync('folder/below', { recursive: true })
         writeFileSync('folder/below/file', 'x')
         return found
       }`,
    )
    expect((await run('files')).result).toEqual([])
    expect((await run('files')).result).toEqual([])
  })

  test('do not get what an earlier item logs after it has returned', async () => {
    write(
      'late.js',
      `let go
       export default ({ late }) => {
         if (!late) { go?.(); return new Promise(end => setImmediate(() => setImmediate(end))) }
         const later = new Promise(resolve => { go = resolve })
         later.then(() => { console.log('late'); process.stdout.write('late'); console.error('late') })
         console.log('in time')
       }`,
    )
    const first = await run('late', { parameters: { late: true } })
    const second = await run('late')
    expect(second.outcome.type).toBe('completed')
    expect(first.context.log.text('stdout')).toBe('in time\n')
    expect(second.context.log.text('stdout') + second.context.log.text('stderr')).toBe('')
  })

  test('are not harmed by an error that an earlier item throws late', async () => {
    write(
      'bomb.js',
      'export default () => { setTimeout(() => { throw new Error("late") }, 30).unref(); return process.pid }',
    )
    write('patient.js', 'export default () => new Promise(end => setTimeout(() => end(process.pid), 200))')
    const { result: pid } = await run('bomb')
    const second = await run('patient')
    expect(second.outcome.type).toBe('completed')
    expect(second.result).toBe(pid)
    // It may have broken anything else.
    expect(isAlive(pid as number)).toBe(false)
  })

  test('cannot use the context of another item', async () => {
    write(
      'keep.js',
      `let kept
       export default async (_, ctx) => {
         if (kept === undefined) { kept = ctx; return 'kept' }
         kept.progress(50)
         return kept.extendTimeout().then(() => 'extended', error => error.message)
       }`,
    )
    await run('keep')
    const { result, context } = await run('keep')
    expect(result).toMatch(/is over/)
    expect(context.progressed).toEqual([])
    expect(context.timeoutsExtended).toBe(0)
  })

  test('do not run in a host where something still runs; it is ended first', async () => {
    write('pid.js', PID)
    write('interval.js', 'export default () => { setInterval(() => {}, 1000); return process.pid }')
    write(
      'server.js',
      `import { createServer } from 'node:net'
       export default () => new Promise(resolve => { createServer().listen(0, () => resolve(process.pid)) })`,
    )
    write(
      'thread.js',
      `import { Worker } from 'node:worker_threads'
       export default () => { new Worker('setInterval(() => {}, 1000)', { eval: true }).unref(); return process.pid }`,
    )
    for (const name of ['interval', 'server', 'thread']) {
      const { result } = await run(name)
      expect(isAlive(result as number)).toBe(false)
      expect((await run('pid')).result).not.toBe(result)
    }
  })

  test('keep sharing a host where work ends in a moment or only idle connections are left', async () => {
    write('pid.js', PID)
    write(
      'fetches.js',
      `import { createServer } from 'node:http'
       export default async () => {
         const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
         await new Promise(go => server.once('listening', go))
         const text = await (await fetch('http://127.0.0.1:' + server.address().port)).text()
         server.close()
         server.closeAllConnections()
         return [process.pid, text]
       }`,
    )
    const [pid, text] = (await run('fetches')).result as [number, string]
    expect(text).toBe('hello')
    expect((await run('pid')).result).toBe(pid)
  })

  test('invariant 6: leave no process behind, not even in another session', async () => {
    write(
      'spawns.js',
      `import { spawn } from 'node:child_process'
       export default () => {
         const child = spawn('/bin/sh', ['-c', 'setsid sleep 300 & echo $!; exec sleep 300'], { detached: true })
         return new Promise(end => child.stdout.once('data', text => end([child.pid, Number(text)])))
       }`,
    )
    write(
      'spawns-sync.js',
      `import { execSync } from 'node:child_process'
       export default () => [Number(execSync('setsid sleep 300 >/dev/null 2>&1 & echo $!'))]`,
    )
    for (const name of ['spawns', 'spawns-sync']) {
      const pids = (await run(name)).result as number[]
      expect(pids.filter(isAlive)).toEqual([])
    }
  })

  test('have no file descriptor of the server', async () => {
    write(
      'descriptors.js',
      `import { readdirSync, readlinkSync } from 'node:fs'
       const target = name => { try { return readlinkSync('/proc/self/fd/' + name) } catch { return 'gone' } }
       export default () => readdirSync('/proc/self/fd').map(target)`,
    )
    const targets = (await run('descriptors')).result as string[]
    const foreign = targets.filter(
      target => !/^(anon_inode:|pipe:|gone$|\/dev\/null$|socket:)/.test(target) && !target.includes('/data/functions/'),
    )
    expect(foreign.filter(target => !target.startsWith(folder))).toEqual([])
  })

  test('share a host only within one workspace', async () => {
    write('pid.js', PID)
    const { result: one } = await run('pid', {}, { job: { workspace: 'one' } })
    const { result: two } = await run('pid', {}, { job: { workspace: 'two' } })
    const { result: again } = await run('pid', {}, { job: { workspace: 'two' } })
    expect(two).not.toBe(one)
    expect(again).toBe(two)
    expect(isAlive(one as number)).toBe(false)
  })

  test('of one workspace get their turn while another always has more', async () => {
    write('pid.js', PID)
    let stopped = false
    const greedy = Array.from({ length: 4 }, async () => {
      while (!stopped) await run('pid', {}, { job: { workspace: 'greedy' } })
    })
    expect((await run('pid', {}, { job: { workspace: 'modest' } })).outcome.type).toBe('completed')
    stopped = true
    await Promise.all(greedy)
  })
})

const isRoot = process.getuid?.() === 0

describe.skipIf(!isRoot)(`with MILLRACE_JOB_USER${isRoot ? '' : ' (needs root)'}`, () => {
  const { run, write, dataDir, executor, folder, options } = useFunctions({ jobUser: 'nobody' })

  test('functions run as that user, with files of their own, and cannot read the data directory', async () => {
    chmodSync(join(folder, '..'), 0o755)
    writeFileSync(join(dataDir, 'secret-key'), 'secret', { mode: 0o644 })
    write(
      'who.js',
      `import { readFileSync, writeFileSync } from 'node:fs'
       export default async ({ path }, ctx) => {
         writeFileSync('own', 'mine')
         await ctx.artifact('own', { path: 'own' })
         let read = 'refused'
         try { read = readFileSync(path, 'utf8') } catch {}
         return [process.getuid(), process.geteuid(), read]
       }`,
    )
    const { outcome, result, context } = await run('who', { parameters: { path: join(dataDir, 'secret-key') } })
    expect(outcome).toMatchObject({ type: 'completed' })
    const [uid, effective, read] = result as [number, number, string]
    expect(uid).toBeGreaterThan(0)
    expect(effective).toBe(uid)
    expect(read).toBe('refused')
    expect([...context.artifacts.keys()]).toEqual(['own'])
    expect(await executor.health!()).toEqual([])
  })

  test('functions leave nothing in their working directory', async () => {
    write(
      'litter.js',
      'import { mkdirSync } from "node:fs"; export default () => { mkdirSync("a/b", { recursive: true }); process.exit(1) }',
    )
    const before = await run('who', { parameters: { path: '/nowhere' } })
    expect(before.outcome.type).toBe('completed')
    await run('litter')
    const root = `/var/tmp/millrace-functions-${options.instanceId}`
    await until('the directory is gone', () => !readdirSync(root).some(name => existsSync(join(root, name, 'a'))))
  })
})

describe.skipIf(!hasBubblewrap)(`in a bubblewrap sandbox${hasBubblewrap ? '' : ' (needs a working bwrap)'}`, () => {
  const { run, write, dataDir } = useFunctions({ sandbox: 'bubblewrap' })

  test('functions run, and do not see the data directory', async () => {
    writeFileSync(join(dataDir, 'secret-key'), 'secret')
    write(
      'inside.js',
      `import { existsSync, writeFileSync } from 'node:fs'
       export default async ({ path }, ctx) => {
         console.log('inside')
         writeFileSync('own', 'mine')
         await ctx.artifact('own', { path: 'own' })
         return existsSync(path)
       }`,
    )
    const { outcome, result, context } = await run('inside', { parameters: { path: join(dataDir, 'secret-key') } })
    expect(outcome).toMatchObject({ type: 'completed' })
    expect(result).toBe(false)
    expect(context.log.text('stdout')).toBe('inside\n')
    expect([...context.artifacts.keys()]).toEqual(['own'])
  })
})
