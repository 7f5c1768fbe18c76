/**
 * Documentation that cannot rot: `docs/errors.md` and the table of settings in `docs/operations.md` are made from the
 * code, and every relative link of every Markdown file leads somewhere. `--write` makes the generated parts anew.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { errorsPage } from './docs/errors-page.ts'
import { findBrokenLinks } from './docs/links.ts'
import { settingsTable } from './docs/settings-table.ts'

type Generated = { readonly path: string; readonly make: (current: string) => string }

const GENERATED: readonly Generated[] = [
  { path: 'docs/errors.md', make: errorsPage },
  { path: 'docs/operations.md', make: current => between(current, 'settings', settingsTable()) },
]

/** Every fault of the documentation below `root`, one line each. */
export const findDocsFaults = (root: string): readonly string[] => [...staleFaults(root), ...findBrokenLinks(root)]

const staleFaults = (root: string): readonly string[] =>
  GENERATED.flatMap(({ path, make }) => {
    const current = read(root, path)
    return make(current) === current ? [] : [`${path}: differs from the code; run npm run docs`]
  })

const writeGenerated = (root: string): void => {
  for (const { path, make } of GENERATED) writeFileSync(resolve(root, path), make(read(root, path)))
}

const read = (root: string, path: string): string => {
  const file = resolve(root, path)
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** Replaces what stands between `<!-- name:begin -->` and `<!-- name:end -->`. */
const between = (page: string, name: string, content: string): string => {
  const begin = `<!-- ${name}:begin -->`
  const end = `<!-- ${name}:end -->`
  const [before, rest] = page.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`no ${begin} … ${end} in the page`)
  return `${before}${begin}\n\n${content}\n${end}${after}`
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..')
  if (process.argv.includes('--write')) writeGenerated(root)
  const faults = findDocsFaults(root)
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length > 0 ? 1 : 0
}
