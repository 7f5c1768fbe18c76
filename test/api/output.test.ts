import { describe, expect, test } from 'vitest'
import { createMemoryLog } from '../command/attempt.ts'
import { useFunctions } from './functions.ts'

describe('the log of a function', () => {
  const { run, write } = useFunctions({ hosts: 1 })

  test('has what it writes to console, ctx.log and its streams, in order, each in the right stream', async () => {
    write(
      'says.js',
      `export default async (_, ctx) => {
         console.log('one', { two: 2 })
         process.stdout.write('three\\n')
         ctx.log('four %d', 4)
         console.error('bad')
         await new Promise(go => setTimeout(go, 2))
         console.warn('worse')
         process.stderr.write('worst\\n')
         console.info('five')
       }`,
    )
    const { context } = await run('says')
    expect(context.log.text('stdout')).toBe('one { two: 2 }\nthree\nfour 4\nfive\n')
    expect(context.log.text('stderr')).toBe('bad\nworse\nworst\n')
  })

  test('has the output of the module’s top level only for the item that loads it', async () => {
    write('top.js', 'console.log("loaded"); export default () => console.log("run")')
    expect((await run('top')).context.log.text('stdout')).toBe('loaded\nrun\n')
    expect((await run('top')).context.log.text('stdout')).toBe('run\n')
  })

  test('has what is written directly to the descriptors, and by child processes', async () => {
    write(
      'past.js',
      `import { spawnSync } from 'node:child_process'
       import { writeSync } from 'node:fs'
       export default () => {
         writeSync(1, 'direct\\n')
         spawnSync('/bin/sh', ['-c', 'echo child; echo trouble >&2'], { stdio: 'inherit' })
       }`,
    )
    const { context } = await run('past')
    expect(context.log.text('stdout')).toBe('direct\nchild\n')
    expect(context.log.text('stderr')).toBe('trouble\n')
  })

  test('has nothing from another item, however fast they follow each other', async () => {
    write(
      'number.js',
      `import { writeSync } from 'node:fs'
       export default ({ number }) => { writeSync(1, number + ';'); console.log(number) }`,
    )
    const runs = Array.from({ length: 50 }, (_, number) => run('number', { parameters: { number } }))
    for (const [number, { context }] of (await Promise.all(runs)).entries())
      expect([...context.log.text('stdout').matchAll(/\d+/g)].map(String)).toEqual([`${number}`, `${number}`])
  })

  test('is complete when the log is slower than the function, and the next item waits', async () => {
    write(
      'floods.js',
      `export default ({ lines }) => { for (let line = 0; line < lines; line++) console.log('line ' + line) }`,
    )
    const log = createMemoryLog()
    const slow = {
      ...log,
      write: async (stream: 'stdout' | 'stderr', bytes: Uint8Array) => {
        await new Promise(resolve => setImmediate(resolve))
        log.write(stream, bytes)
      },
    }
    const { outcome } = await run('floods', { parameters: { lines: 20_000 } }, { log: slow })
    expect(outcome.type).toBe('completed')
    expect(log.text('stdout')).toBe(Array.from({ length: 20_000 }, (_, line) => `line ${line}\n`).join(''))
  })

  test('that cannot be written ends the item', async () => {
    write('goes-on.js', 'export default () => new Promise(() => setInterval(() => console.log("more"), 1))')
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    const log = { ...createMemoryLog(), write: () => Promise.reject(full) }
    const { outcome } = await run('goes-on', {}, { log })
    expect(outcome).toMatchObject({ type: 'failed', failure: 'user', reason: 'disk_full' })
  })

  test('has no protocol secrets: standard input is empty', async () => {
    write('reads.js', 'import { readFileSync } from "node:fs"; export default () => readFileSync(0, "utf8")')
    expect((await run('reads')).result).toBe('')
  })
})
