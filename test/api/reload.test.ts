import { renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { useFunctions } from './functions.ts'

describe('a changed function file', () => {
  const { run, write } = useFunctions({ hosts: 2 })

  test('is used by the next run', async () => {
    write('version.ts', 'export default () => 1')
    expect((await run('version')).result).toBe(1)
    write('version.ts', 'export default () => 2')
    expect((await run('version')).result).toBe(2)
  })

  test('is used even if its size and modification time are the same', async () => {
    const path = write('same.ts', 'export default () => 1')
    expect((await run('same')).result).toBe(1)
    const { atime, mtime } = statSync(path)
    writeFileSync(path, 'export default () => 2')
    utimesSync(path, atime, mtime)
    expect((await run('same')).result).toBe(2)
  })

  test('is used when another file was moved into its place', async () => {
    const path = write('replaced.ts', 'export default () => 1')
    expect((await run('replaced')).result).toBe(1)
    renameSync(write('new.ts', 'export default () => 2'), path)
    expect((await run('replaced')).result).toBe(2)
  })

  test('is used when it is imported indirectly', async () => {
    write('lib/deep.ts', 'export const value = 1')
    write('lib/middle.ts', 'export { value } from "./deep.ts"')
    write('outer.ts', 'import { value } from "./lib/middle.ts"; export default () => value')
    expect((await run('outer')).result).toBe(1)
    write('lib/deep.ts', 'export const value = 2')
    expect((await run('outer')).result).toBe(2)
  })

  test('is used when it is an imported JSON or CommonJS file', async () => {
    write('lib/data.json', '{ "value": 1 }')
    write('lib/old.cjs', 'module.exports = { value: 1 }')
    write(
      'mixed.ts',
      `import data from './lib/data.json' with { type: 'json' }
       import old from './lib/old.cjs'
       export default () => [data.value, old.value]`,
    )
    expect((await run('mixed')).result).toEqual([1, 1])
    write('lib/data.json', '{ "value": 2 }')
    expect((await run('mixed')).result).toEqual([2, 1])
    write('lib/old.cjs', 'module.exports = { value: 2 }')
    expect((await run('mixed')).result).toEqual([2, 2])
  })

  test('with a syntax error fails its items until it is corrected', async () => {
    write('broken.ts', 'export default () => 1')
    expect((await run('broken')).result).toBe(1)
    write('broken.ts', 'export default () => {\n  return ((\n}')
    const { outcome } = await run('broken')
    expect(outcome).toMatchObject({ reason: 'function_unreadable', message: expect.stringMatching(/broken\.ts:\d/) })
    write('broken.ts', 'export default () => 3')
    expect((await run('broken')).result).toBe(3)
  })

  test('that was missing is used once it exists', async () => {
    write('needs.ts', 'import { value } from "./missing.ts"; export default () => value')
    expect((await run('needs')).outcome).toMatchObject({ reason: 'function_unreadable' })
    write('missing.ts', 'export const value = 1')
    expect((await run('needs')).result).toBe(1)
  })

  test('that is removed is not found by the next run', async () => {
    const path = write('removed.ts', 'export default () => 1')
    expect((await run('removed')).result).toBe(1)
    rmSync(path)
    expect((await run('removed')).outcome).toMatchObject({ reason: 'function_not_found' })
  })

  test('makes other functions lose their host and nothing else', async () => {
    write('a.ts', 'export default () => 1')
    write('b.ts', 'export default () => 1')
    await Promise.all([run('a'), run('b')])
    write('a.ts', 'export default () => 2')
    const ran = await Promise.all(Array.from({ length: 10 }, (_, at) => run(at % 2 === 0 ? 'a' : 'b')))
    expect(ran.map(({ result }) => result)).toEqual(ran.map((_, at) => (at % 2 === 0 ? 2 : 1)))
  })
})
