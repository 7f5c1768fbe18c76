import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { useFunctions } from './functions.ts'

let base: string
beforeAll(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-own-directory-')))
})
afterAll(() => rmSync(base, { recursive: true }))

const MODULE = pathToFileURL(join(import.meta.dirname, '../../src/executors/api/host/own-directory.ts')).href

/** In a process of its own, as it changes the working directory. `then` may use `directory` and `fs`. */
const inProcess = async (path: string, then: string): Promise<unknown> => {
  const code = `
    const fs = await import('node:fs')
    const { openOwnDirectory } = await import(${JSON.stringify(MODULE)})
    const directory = openOwnDirectory(${JSON.stringify(path)})
    console.log(JSON.stringify(await (async () => { ${then} })()))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { cwd: base })
  return JSON.parse(stdout)
}

const made = (): string => {
  const path = join(base, randomUUID())
  mkdirSync(path)
  return path
}

describe('the directory of a host', () => {
  test('is the working directory, and is empty after it was cleared', async () => {
    const path = made()
    const then = `
      fs.mkdirSync('deep/er', { recursive: true }); fs.writeFileSync('deep/er/file', ''); process.chdir('/')
      return [await directory.clear(), process.cwd(), fs.readdirSync('.')]`
    expect(await inProcess(path, then)).toEqual([true, path, []])
  })

  test.each([
    [
      'with another name',
      () => {
        const path = join(base, 'home')
        mkdirSync(path)
        return path
      },
    ],
    [
      'that is not empty',
      () => {
        const path = made()
        writeFileSync(join(path, 'kept'), '')
        return path
      },
    ],
    [
      'that is a link',
      () => {
        const path = join(base, randomUUID())
        symlinkSync(made(), path)
        return path
      },
    ],
  ])('cannot be a directory %s', async (_, make) => {
    const path = make()
    const before = readdirSync(path)
    await expect(inProcess(path, 'return directory.clear()')).rejects.toThrow(
      'is no empty directory that was made for a host',
    )
    expect(readdirSync(path)).toEqual(before)
  })

  test('is not cleared when something else is in its place', async () => {
    const path = made()
    const other = made()
    writeFileSync(join(other, 'kept'), '')
    const then = `
      process.chdir('/'); fs.rmdirSync(${JSON.stringify(path)}); fs.symlinkSync(${JSON.stringify(other)}, ${JSON.stringify(path)})
      return directory.clear()`
    expect(await inProcess(path, then)).toBe(false)
    expect(existsSync(join(other, 'kept'))).toBe(true)
  })
})

describe('a function that replaces its directory by a link', () => {
  const { run, write } = useFunctions({ hosts: 1 })

  test('has nothing removed at the target, and the next function gets its own directory', async () => {
    const victim = join(base, 'victim')
    mkdirSync(victim)
    writeFileSync(join(victim, 'kept'), '')
    write(
      'swap.js',
      `import { rmdirSync, symlinkSync } from 'node:fs'
       export default ({ victim }) => {
         const own = process.cwd()
         process.chdir('/')
         rmdirSync(own)
         symlinkSync(victim, own)
         return own
       }`,
    )
    write('look.js', 'export default () => process.cwd()')
    const { result, outcome } = await run('swap', { parameters: { victim } })
    expect(outcome.type).toBe('completed')
    expect(existsSync(join(victim, 'kept'))).toBe(true)
    expect((await run('look')).result).not.toBe(result)
    await expect.poll(() => existsSync(result as string), { timeout: 20_000 }).toBe(false)
    expect(existsSync(join(victim, 'kept'))).toBe(true)
  })
})
