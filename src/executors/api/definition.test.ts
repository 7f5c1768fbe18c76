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
  test.each([['scrape/products'], ['scrape/deep/detail'], ['plain'], ['alias']])('%j is one', name => {
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
  ])('%j is not', name => {
    expect(check(name)).toEqual([{ path: 'api', message: expect.stringContaining('must be a path below') }])
  })

  test.each([['plain.js'], ['escape'], ['up/outside'], ['loop'], ['plain/x'], ['x'.repeat(255)]])(
    '%j is no function',
    name => {
      expect(check(name)).toEqual([{ path: 'api', message: expect.stringContaining('there is no function') }])
    },
  )

  test('that is a folder is told as one, with what is in it', () => {
    expect(check('scrape')[0]!.message).toBe('is a folder of functions: "scrape/deep/detail", "scrape/products"')
  })

  test.each([
    ['scrape/prodcts', '"scrape/products"'],
    ['Plain2', '"plain"'],
    ['products', '"scrape/products"'],
  ])('%j that is wrong is answered with close ones', (name, close) => {
    expect(check(name)[0]!.message).toContain(`did you mean ${close}`)
  })

  test('far from all is answered with what there is', () => {
    expect(check('something-else')[0]!.message).toMatch(/there are "alias"/)
  })

  test('in a folder that is not there is no function', () => {
    const elsewhere = createApiDefinition({ functionsDir: '/nowhere', clock: { now: () => 0, monotonic: () => 0 } })
    expect(elsewhere.check!({ api: 'x' })[0]!.message).toMatch(/has none/)
  })
})

test('of many wrong names in a batch only the first are looked for in the folder', () => {
  const { check } = definition()
  const messages = Array.from({ length: 1000 }, (_, index) => check!({ api: `plai${index}` })[0]!.message)
  expect(messages.filter(message => message.includes('did you mean')).length).toBeLessThanOrEqual(20)
  expect(messages.every(message => message.includes('there is no function'))).toBe(true)
  now += 1000
  expect(check!({ api: 'plai0' })[0]!.message).toContain('did you mean')
})

test('a function that is removed is soon no longer taken, and a new one at once', () => {
  const { check } = definition()
  const path = join(base, 'functions/new.ts')
  expect(check!({ api: 'new' })).toHaveLength(1)
  writeFileSync(path, '')
  expect(check!({ api: 'new' })).toEqual([])
  rmSync(path)
  now += 1000
  expect(check!({ api: 'new' })).toHaveLength(1)
})
