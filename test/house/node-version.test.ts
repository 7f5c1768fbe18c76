import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const PINNED = `v${JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')).dependencies.node}`

test('the tests run on the Node version that the package pins', () => {
  expect(process.version).toBe(PINNED)
})

test('the Node that npm scripts find first is the pinned one', () => {
  expect(execFileSync(resolve(ROOT, 'node_modules/.bin/node'), ['--version'], { encoding: 'utf8' }).trim()).toBe(PINNED)
})
