import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const readme = readFileSync(resolve(ROOT, 'README.md'), 'utf8')

test.each(['npm ci && npm start', 'npm ci && npm test', 'npx millrace run -- echo hi'])(
  'the README has the command %s on a line of its own',
  command => {
    expect(readme.split('\n')).toContain(command)
  },
)

test('no page starts TypeScript with the reader’s own Node, which may be too old', () => {
  for (const page of globSync(['README.md', 'docs/**/*.md', 'examples/**/*.md'], { cwd: ROOT }))
    expect([page, readFileSync(resolve(ROOT, page), 'utf8').match(/(?<!npx |\/)\bnode \S+\.ts\b/g)]).toEqual([
      page,
      null,
    ])
})
