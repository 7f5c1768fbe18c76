import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8')

test.each(['npm ci && npm start', 'npm ci && npm test', 'npx millrace run -- echo hi'])(
  'the README has the command %s on a line of its own',
  command => {
    expect(readme.split('\n')).toContain(command)
  },
)
