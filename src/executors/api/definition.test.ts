import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApiDefinition } from './definition.ts'

let base: string
let now = 0
const definition = () =>
  createApiDefinition({ functionsDir: join(base, 'functions'), clock: { now: () => 0, monotonic: () => now } })
const check = (api: string) => definition().check!({ api })

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'millrace-definition-'))
  mkdirSync(join(base, 'functions/scrape/deep'), { recursive: true })
  mkdirSync(join(base, 'functions/node_modules'))
  for (const path of [
    'scrape/products.ts',
    'scrape/deep/detail.mjs',
    'plain.js',
    '.hidden.js',
    'types.d.ts',
    'node_modules/x.js',
  ])
    writeFileSync(join(base, 'functions', path), '')
  writeFileSync(join(base, 'outside.js'), '')
  symlinkSync('../outside.js', join(base, 'functions/escape.js'))
  symlinkSync('..', join(base, 'functions/up'))
  symlinkSync('loop.js', join(base, 'functions/loop.js'))
  symlinkSync('plain.js', join(base, 'functions/alias.js'))
})
afterAll(() => rmSync(base, { recursive: true }))

describe('the name of a function', () => {
  test.each([['scrape/products'], ['scrape/deep/detail'], ['plain'], ['alias']])('%j is accepted', name => {
    expect(check(name)).toEqual([])
  })

  test.each([
    ['../outside'],
    ['scrape/../plain'],
    ['scrape//products'],
    ['/etc/passwd'],
    ['./plain'],
    ['.hidden'],
    ['plain/'],
    ['scrape\\products'],
    ['plain\0'],
    ['types.d'],
    ['node_modules/x'],
  ])('%j is not a path below the folder', name => {
    expect(check(name)).toEqual([{ path: 'api', message: expect.stringContaining('must be a path below') }])
  })

  test.each([['plain.js'], ['escape'], ['up/outside'], ['loop'], ['plain/x'], ['x'.repeat(255)]])(
    '%j names no function',
    name => {
      expect(check(name)).toEqual([{ path: 'api', message: expect.stringContaining('there is no function') }])
    },
  )

  test('of a folder is refused with its functions', () => {
    expect(check('scrape')[0]!.message).toBe('is a folder of functions: "scrape/deep/detail", "scrape/products"')
  })

  test.each([
    ['scrape/prodcts', '"scrape/products"'],
    ['Plain2', '"plain"'],
    ['products', '"scrape/products"'],
  ])('%j is refused with similar names', (name, close) => {
    expect(check(name)[0]!.message).toContain(`did you mean ${close}`)
  })

  test('without similar names is refused with the existing ones', () => {
    expect(check('something-else')[0]!.message).toMatch(/there are "alias"/)
  })

  test('in a missing folder is refused', () => {
    const elsewhere = createApiDefinition({ functionsDir: '/nowhere', clock: { now: () => 0, monotonic: () => 0 } })
    expect(elsewhere.check!({ api: 'x' })[0]!.message).toMatch(/has none/)
  })
})

test('a batch with many wrong names looks up only the first ones in the folder', () => {
  const { check } = definition()
  const messages = Array.from({ length: 1000 }, (_, index) => check!({ api: `plai${index}` })[0]!.message)
  expect(messages.filter(message => message.includes('did you mean')).length).toBeLessThanOrEqual(20)
  expect(messages.every(message => message.includes('there is no function'))).toBe(true)
  now += 1000
  expect(check!({ api: 'plai0' })[0]!.message).toContain('did you mean')
})

test('a removed function is refused after a moment, and a new one is accepted at once', () => {
  const { check } = definition()
  const path = join(base, 'functions/new.ts')
  expect(check!({ api: 'new' })).toHaveLength(1)
  writeFileSync(path, '')
  expect(check!({ api: 'new' })).toEqual([])
  rmSync(path)
  now += 1000
  expect(check!({ api: 'new' })).toHaveLength(1)
})
