import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeDirectory } from './make-directory.ts'

const temporary = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'make-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}

test('a directory is created with its parents, accessible to the owner alone', () => {
  const directory = temporary()
  makeDirectory(join(directory, 'a/b/c'))
  for (const path of ['a', 'a/b', 'a/b/c']) expect(statSync(join(directory, path)).mode & 0o777).toBe(0o700)
})

test('an existing directory is left as it is, even behind a link', () => {
  const directory = temporary()
  chmodSync(directory, 0o755)
  symlinkSync(directory, join(directory, 'link'))
  makeDirectory(directory)
  makeDirectory(join(directory, 'link'))
  makeDirectory('/')
  expect(statSync(directory).mode & 0o777).toBe(0o755)
})

test('a directory that cannot be created is an error, without endless retries', () => {
  const directory = temporary()
  writeFileSync(join(directory, 'file'), '')
  symlinkSync(join(directory, 'gone/deeper'), join(directory, 'dangling'))
  expect(() => makeDirectory(join(directory, 'file'))).toThrow('EEXIST')
  expect(() => makeDirectory(join(directory, 'file/below'))).toThrow('ENOTDIR')
  expect(() => makeDirectory(join(directory, 'dangling'))).toThrow('ENOENT')
  expect(() => makeDirectory(join(directory, 'dangling/below'))).toThrow('ENOENT')
  // Systems other than Linux have no /proc, and may allow nobody to create it.
  expect(() => makeDirectory('/proc/millrace/below')).toThrow(/ENOENT|EACCES|EPERM|EROFS/)
})
