import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { materialized } from '../data/scene.ts'
import { ROWS, useTinybird } from './data-scene.ts'

const tinybird = useTinybird()

describe('refusals', () => {
  test.each([
    ['POST', '/v0/pipes/nowhere/copy', 404],
    ['POST', '/v0/pipes/per_day/copy', 400],
    ['POST', '/v0/pipes/snapshot/copy?_mode=both', 400],
    ['POST', '/v0/pipes/snapshot/copy?_execution_type=manual', 400],
    ['POST', '/v0/pipes/snapshot/copy?a-b=1', 400],
    ['POST', '/v0/pipes/snapshot/copy?most=1&mode=replace', 400],
    ['POST', '/v0/pipes/snapshot/copy?most=1&other=1', 400],
    ['POST', '/v0/pipes/snapshot/copy/pause', 400],
    ['POST', '/v0/pipes/nowhere/nodes/daily/population', 404],
    ['POST', '/v0/pipes/per_day/nodes/nowhere/population', 404],
    ['POST', '/v0/pipes/per_day/nodes/plain/population', 400],
    ['POST', '/v0/pipes/per_day/nodes/daily/population?populate_subset=0.5', 400],
    ['POST', '/v0/pipes/per_day/nodes/daily/population?populate_subset=half', 400],
    ['POST', '/v0/pipes/per_day/nodes/daily/population?unlink_on_populate_error=true', 400],
    ['POST', '/v0/datasources/nowhere/delete?delete_condition=1', 404],
    ['POST', '/v0/datasources/facts/delete', 400],
    ['POST', '/v0/datasources/facts/delete?delete_condition=1&delete_condition=2', 400],
    ['POST', '/v0/datasources/facts/delete?delete_condition=1&dry_run=perhaps', 400],
    ['POST', '/v0/datasources', 400],
    ['POST', '/v0/datasources?url=nonsense&name=x', 400],
    ['POST', '/v0/datasources?url=https://example.com/a.csv&mode=append', 400],
    ['POST', '/v0/datasources?url=https://example.com/a.csv&mode=append&name=nowhere', 404],
    ['POST', '/v0/datasources?url=https://example.com/facts.csv', 409],
    ['POST', '/v0/datasources?url=https://example.com/&mode=create', 400],
    ['POST', '/v0/datasources?url=https://example.com/a.csv&format=xml', 400],
    ['PUT', '/v0/pipes/snapshot', 405],
    ['DELETE', '/tinybird/v0/jobs', 405],
    ['POST', '/v0/jobs/x/y/z', 404],
    ['GET', '/tinybird/v0/nothing/', 404],
    ['GET', '/v0/sql', 400],
    ['GET', '/v0/sql?q=SELECT', 400],
    ['GET', '/v0/sql?q=SELECT+1+FORMAT+CSV', 400],
    ['GET', '/v0/sql?q=DROP+TABLE+facts', 400],
  ])('%s %s is %i, with the reason', async (method, path, status) => {
    const answer = await tinybird.call(method, path)
    expect([answer.status, answer.body.error], JSON.stringify(answer.body)).toEqual([status, expect.any(String)])
    expect(answer.body.documentation).toBe(`${tinybird.url}/docs`)
  })

  test.each([
    ['/v0/datasources?name=1x&url=https://example.com/a.csv', /^name: must be letters, digits/],
    ['/v0/datasources?name=x&url=htp://a/b.csv', /^url: must be a URL of/],
    ['/v0/datasources?name=x&url=https://example.com/a.csv&dialect_delimiter=ab', /^dialect_delimiter: /],
    ['/v0/datasources/facts/delete', /^delete_condition: is required/],
    ['/v0/pipes/per_day/nodes/daily/population?populate_subset=2', /^populate_subset: must be <= 0.1/],
    ['/v0/sql?query=SELECT+1', /^query: is not a known parameter; there is q$/],
    [
      '/v0/datasources/facts/delete?condition=1',
      /^condition: is not a known parameter; there are delete_condition, dry_/,
    ],
  ])('name faults by the parameters of this API: %s', async (path, message) => {
    const { status, body } = await tinybird.call('POST', path)
    expect([status, body.error]).toEqual([400, expect.stringMatching(message)])
  })

  test('recognize rows sent as a form', async () => {
    for (const rows of ['day,n\n2026-01-01,1\n', '{"day":"2026-01-01","n":1}'])
      expect((await tinybird.post('/v0/datasources?name=rows', rows)).body.error).toMatch(
        /^The body is sent as a form, and looks like rows: .*text\/csv/,
      )
  })

  test('are not for parameters of a call that has none and only reads', async () => {
    for (const path of ['/v0/datasources/facts?attrs=name', '/v0/pipes?dependencies=false'])
      expect((await tinybird.call('GET', path)).status).toBe(200)
  })

  test('name parameters of a call that has none, and change nothing', async () => {
    for (const [method, path] of [
      ['DELETE', '/v0/datasources/facts?dry_run=true'],
      ['POST', '/v0/datasources/facts/truncate?dry_run=true'],
      ['POST', '/v0/pipes/snapshot/copy/pause?dry_run=true'],
    ] as const) {
      const { status, body } = await tinybird.call(method, path)
      expect([path, status, body.error]).toEqual([path, 400, expect.stringMatching(/: is not a known parameter$/)])
    }
    expect((await tinybird.post('/v0/datasources/facts/truncate', 'dry_run=true')).status).toBe(400)
    expect(await tinybird.count('facts')).toBe(ROWS)
  })

  test('answer 403 to a token that may only read', async () => {
    const { body } = await tinybird.call('POST', '/v1/tokens', { name: 'reader', role: 'reader' })
    const reader = { authorization: `Bearer ${body.token}` }
    for (const path of [
      '/v0/pipes/snapshot/copy',
      '/v0/pipes/per_day/nodes/daily/population',
      '/v0/datasources/facts/delete',
      '/v0/datasources/facts/truncate',
      '/v0/datasources?name=new&schema=a+Int32',
      '/v0/sql?q=SELECT+1',
    ]) {
      const answer = await tinybird.call('POST', path, undefined, reader)
      expect([path, answer.status, answer.body.error]).toEqual([path, 403, expect.stringContaining('lacks the scope')])
    }
    expect(await tinybird.count('facts')).toBe(ROWS)
  })
})

test('no request causes a server fault', async () => {
  // Accepted requests change rows later, so they have a data source of their own.
  await tinybird.dataSource('odd', { n: 'UInt64' })
  const sql = 'SELECT n FROM odd'
  await tinybird.pipe('odd_feed', [{ name: 'feed', sql, role: materialized('odd_fed') }])
  const role = { type: 'copy', into: 'odd_copied', mode: 'append', schedule: null } as const
  await tinybird.pipe('odd_copy', [{ name: 'copy', sql: `${sql} WHERE n < {most:UInt64}`, role }])
  const path = fc.constantFrom(
    ...['/v0/jobs', '/v0/jobs/x/cancel', '/v0/datasources', '/v0/datasources/odd/delete', '/v0/sql'],
    ...['/v0/pipes/odd_feed/nodes/feed/population', '/v0/pipes/odd_copy/copy', '/v0/pipes/nowhere'],
  )
  const name = fc.constantFrom(
    ...['kind', 'status', 'pipe_id', 'pipe_name', 'created_after', 'created_before', 'delete_condition', 'dry_run'],
    ...['populate_subset', 'truncate', '_mode', 'most', 'q', 'schema', 'mode', 'format', '__proto__', 'constructor'],
  )
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'import',
      'done',
      '1',
      'true',
      '-271821-04-20',
      '0000-01-01',
      '9999-12-31T23:59:59Z',
      '{',
      "'",
      'a b',
    ),
  )
  const pairs = fc.array(fc.tuple(name, value), { maxLength: 4 })
  const type = fc.constantFrom('application/x-www-form-urlencoded', 'application/json', 'text/plain')
  await fc.assert(
    fc.asyncProperty(
      path,
      fc.constantFrom('GET', 'POST'),
      pairs,
      pairs,
      type,
      async (to, method, query, body, kind) => {
        const response = await fetch(`${tinybird.url}${to}?${new URLSearchParams(query)}`, {
          method,
          headers: { authorization: `Bearer ${tinybird.token}`, ...(method === 'POST' && { 'content-type': kind }) },
          ...(method === 'POST' && {
            body:
              kind === 'application/json'
                ? JSON.stringify(Object.fromEntries(body))
                : String(new URLSearchParams(body)),
          }),
        })
        const text = await response.text()
        expect(response.status, `${method} ${to} ${text}`).toBeLessThan(500)
      },
    ),
    { numRuns: 150 },
  )
})

test.each(['%', '%zz=%00&%ff', '&&&=', 'a'.repeat(100_000), '='.repeat(1000), '\u0000', '__proto__=1'])(
  'an odd form is refused: %#',
  async body => {
    for (const path of ['/v0/datasources/facts/delete', '/v0/pipes/snapshot/copy', '/v0/sql', '/v0/datasources']) {
      const answer = await tinybird.post(path, body)
      expect([path, answer.status >= 400 && answer.status < 500]).toEqual([path, true])
    }
    for (const odd of ['null', '[]', '1', '"x"', '{"q":{"a":1}}', '{"delete_condition":["1"]}']) {
      const answer = await tinybird.post('/v0/datasources/facts/delete', odd, { 'content-type': 'application/json' })
      expect(answer.status).toBe(400)
    }
  },
)
