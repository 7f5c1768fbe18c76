import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataDirLocked, openDataDir } from './data-dir.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-data-dir-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('the data directory is created with mode 0700 and its files with 0600', () => {
  const path = join(directory, 'new')
  const dataDir = openDataDir(path)
  dataDir.write('fact', 'kept')
  expect(statSync(path).mode & 0o777).toBe(0o700)
  expect(statSync(join(path, 'fact')).mode & 0o777).toBe(0o600)
  expect(dataDir.read('fact')).toBe('kept')
  expect(dataDir.read('nothing')).toBeNull()
  dataDir.unlock()
})

test('a second process is refused until the first is gone, even by kill -9', async () => {
  const program = `import { openDataDir } from ${JSON.stringify(new URL('./data-dir.ts', import.meta.url).href)}
    openDataDir(process.argv[1]); console.log('locked'); setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', program, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  expect(() => openDataDir(directory)).toThrow(DataDirLocked)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  openDataDir(directory).unlock()
})

test.each(['', 'lock'])('an unusable data directory is reported with its path and setting: data/%s', name => {
  const path = join(directory, 'data')
  if (name === '') writeFileSync(path, 'no directory')
  else mkdirSync(join(path, name), { recursive: true })
  expect(() => openDataDir(path)).toThrow(`The data directory ${path} (MILLRACE_DATA_DIR) must belong`)
})
