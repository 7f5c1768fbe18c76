import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findFiles } from './find-files.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-files-'))
  mkdirSync(join(directory, 'w/deep/.hidden'), { recursive: true })
  for (const file of ['b.yml', 'a.yaml', 'c.json', 'README.md', '.off.yaml', 'deep/d.yaml', 'deep/.hidden/e.yaml'])
    writeFileSync(join(directory, 'w', file), '')
  writeFileSync(join(directory, 'odd.txt'), '')
})
afterEach(() => rmSync(directory, { recursive: true }))

test('a directory yields its files and those below it, sorted, without hidden ones', async () => {
  expect(await findFiles(['w'], directory)).toEqual(['w/a.yaml', 'w/b.yml', 'w/c.json', 'w/deep/d.yaml'])
})

test('a file may have any name, and is found once even if it is given twice', async () => {
  expect(await findFiles(['odd.txt', 'w/deep', 'w/deep/../deep/d.yaml'], directory)).toEqual([
    'odd.txt',
    'w/deep/d.yaml',
  ])
})

test('links to files are followed, links to directories are not', async () => {
  symlinkSync(join(directory, 'odd.txt'), join(directory, 'w/deep/link.yaml'))
  symlinkSync(directory, join(directory, 'w/deep/round'))
  expect(await findFiles(['w/deep'], directory)).toEqual(['w/deep/d.yaml', 'w/deep/link.yaml'])
})

test('a missing path is reported', async () => {
  await expect(findFiles(['w', 'nowhere'], directory)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('nowhere'),
  })
})

test('a link that leads nowhere is reported', async () => {
  symlinkSync(join(directory, 'gone.yaml'), join(directory, 'w/deep/link.yaml'))
  await expect(findFiles(['w'], directory)).rejects.toMatchObject({
    exitCode: 2,
    message: 'there is no file or directory w/deep/link.yaml',
  })
})
