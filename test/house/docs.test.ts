import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { findDocsFaults } from '../../scripts/check-docs.ts'
import { errorsPage } from '../../scripts/docs/errors-page.ts'
import { findBrokenLinks } from '../../scripts/docs/links.ts'
import { settingsTable } from '../../scripts/docs/settings-table.ts'
import { ERRORS } from '../../src/kernel/errors.ts'
import { settings } from '../../src/kernel/settings.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

const pages = (files: Readonly<Record<string, string>>): string => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
  roots.push(root)
  mkdirSync(join(root, 'docs'))
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text)
  return root
}

test('the documentation agrees with the code and its links work', () => {
  expect(findDocsFaults(ROOT)).toEqual([])
})

test('every error code is in docs/errors.md with its title and what to do', () => {
  const page = readFileSync(resolve(ROOT, 'docs/errors.md'), 'utf8')
  for (const [code, entry] of Object.entries(ERRORS)) {
    const row = page.split('\n').find(line => line.startsWith(`| \`${code}\` |`))
    expect(row).toContain(entry.title)
  }
})

test('every setting is in docs/operations.md with its variable and its flag', () => {
  const page = readFileSync(resolve(ROOT, 'docs/operations.md'), 'utf8')
  for (const { env, flag } of settings) expect(page).toContain(`| \`${env}\` | \`--${flag}\` |`)
})

test('a generated page that was edited by hand is a fault', () => {
  const operations = `<!-- settings:begin -->\n\n${settingsTable()}\n<!-- settings:end -->\n`
  expect(findDocsFaults(pages({ 'docs/errors.md': errorsPage(), 'docs/operations.md': operations }))).toEqual([])
  const edited = { 'docs/errors.md': `${errorsPage()}more`, 'docs/operations.md': operations.replace('7070', '7071') }
  expect(findDocsFaults(pages(edited))).toEqual([
    'docs/errors.md: differs from the code; run npm run docs',
    'docs/operations.md: differs from the code; run npm run docs',
  ])
})

test('a link to a missing file or heading is a fault; links on the web or in code are ignored', () => {
  const root = pages({
    'README.md': [
      '# Read me',
      '[a](docs/a.md) [b](docs/b.md) [c](docs/a.md#two-words) [d](docs/a.md#three) [e](#read-me) [f](https://x.example)',
      '`[g](g.md)`',
      '```\n[h](h.md)\n```',
      '<img src="docs/images/i.png">',
    ].join('\n\n'),
    'docs/a.md': '# A\n\n## Two words\n',
  })
  expect(findBrokenLinks(root)).toEqual([
    'README.md: docs/b.md leads nowhere',
    'README.md: docs/a.md#three: no such heading',
    'README.md: docs/images/i.png leads nowhere',
  ])
})
