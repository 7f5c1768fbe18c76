import { describe, expect, test } from 'vitest'
import { useFunctions } from './functions.ts'

/** What strict readers of JSON can read. */
const HALVES = { '\ufffd': ['\ufffd', '😀', '\\ud800'] }

describe('a function', () => {
  const { run, start, write } = useFunctions({ heapMegabytes: 96 })

  test('gets its parameters, and what it returns is the result as JSON', async () => {
    write('add.ts', 'export default async ({ a, b }: { a: number; b: number }) => ({ sum: a + b })')
    const { outcome, result } = await run('add', { parameters: { a: 2, b: 3 } })
    expect(outcome).toEqual({ type: 'completed', result: expect.objectContaining({ format: 'json' }) })
    expect(result).toEqual({ sum: 5 })
  })

  test.each(['ts', 'mts', 'js', 'mjs'])('may be a .%s file, in a folder, and imports others', async extension => {
    write(`deep/er/lib-${extension}.${extension}`, 'export const word = "hello"')
    write(
      `deep/er/say-${extension}.${extension}`,
      `import { word } from './lib-${extension}.${extension}'; export default () => word`,
    )
    expect((await run(`deep/er/say-${extension}`)).result).toBe('hello')
  })

  test.each([
    ['nothing', 'export default async () => {}', null],
    ['a text', 'export default () => "ünïcode ✓"', 'ünïcode ✓'],
    ['a date', 'export default () => new Date(0)', '1970-01-01T00:00:00.000Z'],
    ['no parameters', 'export default parameters => parameters', {}],
    ['half an emoji', "export default () => ({ ['😀'.slice(0, 1)]: ['😀'.slice(1), '😀', '\\\\ud800'] })", HALVES],
  ])('that returns %s has that result', async (what, text, expected) => {
    const name = what.replaceAll(' ', '-')
    write(`${name}.js`, text)
    expect((await run(name)).result).toEqual(expected)
  })

  test.each([
    ['a cycle', 'const a = {}; a.a = a; return a', /circular/i],
    ['a BigInt', 'return { n: 1n }', /BigInt/],
    ['a function', 'return () => 1', /a function cannot/],
    ['an object that is written as nothing', 'return { toJSON: () => undefined }', /an object cannot/],
    ['something that cannot be read', 'return { get x() { throw new Error("no x") } }', /no x/],
  ])('that returns %s fails as unreadable', async (what, body, message) => {
    const name = what.replaceAll(' ', '-')
    write(`${name}.js`, `export default async () => { ${body} }`)
    const { outcome } = await run(name)
    expect(outcome).toEqual({
      type: 'failed',
      failure: 'user',
      reason: 'result_unreadable',
      message: expect.stringMatching(message),
    })
  })

  test('may return up to 2 MB', async () => {
    write('large.js', 'export default ({ length }) => "x".repeat(length)')
    const fits = await run('large', { parameters: { length: 1_999_998 } })
    expect(fits.result).toHaveLength(1_999_998)
    const { outcome } = await run('large', { parameters: { length: 1_999_999 } })
    expect(outcome).toMatchObject({ type: 'failed', failure: 'user', reason: 'result_too_large' })
  })

  test('may get parameters larger than a pipe buffer', async () => {
    write('measure.js', 'export default ({ text }) => text.length')
    expect((await run('measure', { parameters: { text: 'ü'.repeat(5_000_000) } })).result).toBe(5_000_000)
  })

  test('that throws fails with the message; the stack is in the log', async () => {
    write('throws.ts', 'const inner = () => { throw new RangeError("too far") }\nexport default async () => inner()')
    const { outcome, context } = await run('throws')
    expect(outcome).toEqual({
      type: 'failed',
      failure: 'user',
      reason: 'function_threw',
      message: 'RangeError: too far',
    })
    expect(context.log.text('stderr')).toMatch(/RangeError: too far\n.*at inner .*throws\.ts:1:/)
  })

  test.each([
    ['null', 'throw null', 'null'],
    ['a text', 'throw "plain"', "'plain'"],
    ['what cannot be shown', 'throw new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 1 } })', ''],
  ])('may throw %s', async (what, body, shown) => {
    const name = `throws-${what.replaceAll(' ', '-')}`
    write(`${name}.js`, `export default () => { ${body} }`)
    const { outcome } = await run(name)
    expect(outcome).toMatchObject({ reason: 'function_threw', message: expect.stringContaining(shown) })
  })

  test.each([
    ['an unhandled promise', 'Promise.reject(new Error("lost")); await new Promise(() => {})'],
    ['a timer', 'setTimeout(() => { throw new Error("lost") }, 1); await new Promise(() => {})'],
  ])('fails when %s throws', async (what, body) => {
    const name = `uncaught-${what.replaceAll(' ', '-')}`
    write(`${name}.js`, `export default async () => { ${body} }`)
    const { outcome } = await run(name)
    expect(outcome).toMatchObject({ failure: 'user', reason: 'function_threw', message: 'Error: lost' })
  })

  test('that does not exist fails with similar names', async () => {
    write('shop/products.ts', 'export default () => 1')
    const { outcome } = await run('shop/prodcts')
    expect(outcome).toMatchObject({
      failure: 'user',
      reason: 'function_not_found',
      message: expect.stringContaining('"shop/products"'),
    })
  })

  test.each([
    ['no default export', 'export const x = 1', /no default export/],
    ['a default export that is not a function', 'export default { a: 1 }', /object, not a function/],
    ['a syntax error', 'export const ok = 1\nexport default async () => {{\n', /\.ts:\d+/],
    ['TypeScript that cannot be erased', 'enum A { b }\nexport default () => A.b', /enum/],
    ['a missing import', 'import "./nowhere.ts"\nexport default () => 1', /nowhere/],
    ['a top level that throws', 'throw new Error("not today")\nexport default () => 1', /not today/],
  ])('whose module has %s fails as unreadable, with the reason', async (what, text, reason) => {
    const name = `unreadable-${what.replaceAll(' ', '-')}`
    write(`${name}.ts`, text)
    const { outcome } = await run(name)
    expect(outcome).toEqual({
      type: 'failed',
      failure: 'user',
      reason: 'function_unreadable',
      message: expect.stringMatching(reason),
    })
  })

  test.each([
    ['process.exit(3)', { exitCode: 3, signal: null }, /exit code 3/],
    ['process.exit()', { exitCode: 0, signal: null }, /exit code 0/],
    ['process.kill(process.pid, "SIGKILL")', { exitCode: null, signal: 'SIGKILL' }, /SIGKILL/],
    ['process.abort()', { exitCode: null, signal: expect.stringMatching(/^SIG(ABRT|IOT)$/) }, /SIG(ABRT|IOT)/],
  ])('that calls %s fails as crashed, with what it logged before', async (call, exit, message) => {
    const name = `ends-${call.replace(/\W+/g, '-')}x`
    write(`${name}.js`, `export default async () => { console.log('before'); ${call} }`)
    const { outcome, context } = await run(name)
    expect(outcome).toEqual({
      type: 'failed',
      failure: 'user',
      reason: 'function_crashed',
      message: expect.stringMatching(message),
      exit,
    })
    expect(context.log.text('stdout')).toBe('before\n')
  })

  test.each([
    ['heap', 'const kept = []; for (;;) kept.push(new Array(10_000).fill(kept.length))'],
    [
      'buffers',
      'const kept = []; for (;;) { kept.push(Buffer.alloc(2 ** 22, 1)); await new Promise(go => setTimeout(go, 5)) }',
    ],
  ])('that fills its memory with %s fails as out of memory', async (name, body) => {
    write(`fills-${name}.js`, `export default async () => { ${body} }`)
    const { outcome } = await run(`fills-${name}`)
    expect(outcome).toMatchObject({
      failure: 'user',
      reason: 'function_crashed',
      message: expect.stringContaining('out of memory'),
    })
  })

  test('that crashes fails alone: items that run at the same time complete', async () => {
    write('crash.js', 'export default ({ at }) => { if (at % 5 === 0) process.exit(1); return at }')
    const items = Array.from({ length: 20 }, (_, at) => start({ api: 'crash', parameters: { at } }))
    const outcomes = await Promise.all(items.map(item => item.outcome))
    expect(outcomes.map(outcome => outcome.type)).toEqual(items.map((_, at) => (at % 5 === 0 ? 'failed' : 'completed')))
  })
})
