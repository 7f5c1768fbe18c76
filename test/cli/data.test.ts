import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { api, type Finished, inProcess, type ServeProcess, startServe } from './millrace.ts'

let server: ServeProcess
beforeAll(async () => {
  server = await startServe(['--shutdown-grace', '1s'])
})
afterAll(async () => {
  await server?.stop()
})

const run = (line: string, input?: string): Promise<Finished> =>
  inProcess(line.split(' '), { cwd: server.cwd, ...(input !== undefined && { input }) })
const done = async (line: string, input?: string): Promise<string> => {
  const { code, stdout, stderr } = await run(line, input)
  expect(code, `${line}: ${stdout}${stderr}`).toBe(0)
  return stdout
}
const file = (name: string, text: string): string => {
  writeFileSync(join(server.cwd, name), text)
  return name
}

test('empty lists say so in words', async () => {
  expect(await run('datasources')).toEqual({ code: 0, stdout: '', stderr: 'no data sources\n' })
  expect(await run('pipes list')).toEqual({ code: 0, stdout: '', stderr: 'no pipes\n' })
})

test('a data source is created from JSON, YAML or options', async () => {
  const visits = file('visits.json', JSON.stringify({ name: 'visits', schema: [{ name: 'day', type: 'Date' }] }))
  expect(await done(`datasources create ${visits}`)).toBe('visits created\n')
  expect(await done('datasources create - --description mine', 'name: pages\nschema: "page String"\n')).toBe(
    'pages created\n',
  )
  const { code, stdout } = await inProcess(
    ['datasources', 'create', 'clicks', '-s', 'id UInt64, page String', '--sorting-key', 'id', '--json'],
    { cwd: server.cwd },
  )
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ name: 'clicks', sorting_key: 'id' })
  expect((await api(server.cwd, 'GET', '/v1/datasources/pages')).description).toBe('mine')
})

test('refused fields are reported one by one, and the exit code is 125', async () => {
  const { code, stderr } = await run('datasources create -', '{"name": "bad-name", "schema": [], "more": 1}')
  expect(code).toBe(125)
  expect(stderr).toContain('more: is not a known field')
})

test('an invalid or empty file is reported before the server is asked', async () => {
  for (const [name, text, words] of [
    ['list.json', '[1]', /list\.json:1: must be an object/],
    ['broken.yaml', 'a: [', /broken\.yaml:1: is not YAML/],
    ['empty.yaml', '', /empty\.yaml: is empty/],
    ['alias.yaml', 'a: *nowhere', /alias\.yaml:1: is not YAML: .*nowhere/],
  ] as const) {
    const { code, stderr } = await run(`datasources create ${file(name, text)}`)
    expect([code, stderr]).toEqual([2, expect.stringMatching(words)])
  }
  expect((await run('datasources create nowhere.json')).code).toBe(2)
})

test('data sources are listed and shown with their content', async () => {
  await api(server.cwd, 'POST', '/v1/jobs', {
    query: "SELECT number AS id, 'home' AS page FROM numbers(1500)",
    datasource: 'clicks',
    mode: 'append',
  })
  const rows = async () => (await api(server.cwd, 'GET', '/v1/datasources/clicks')).row_count
  await expect.poll(rows, { timeout: 20_000 }).toBe(1500)
  const table = await done('datasources')
  expect(table).toMatch(/^NAME +ROWS +SIZE +QUARANTINE +UPDATED +PIPES\nclicks +1,500 +\S+ \w+ +0 /)
  expect(await done('datasources show clicks')).toMatch(
    /sorting key +id[\s\S]*rows +1,500[\s\S]*COLUMN +TYPE[\s\S]*UInt64/,
  )
  expect(JSON.parse(await done('datasources list --json')).datasources).toHaveLength(3)
  expect((await run('datasources')).stderr).toBe('')
  expect((await run('datasources list -n 2')).stderr).toBe('millrace: the first 2 data sources; -n shows more\n')
  expect((await run('datasources list -n 1')).stderr).toBe('millrace: one of several data sources; -n shows more\n')
  expect(JSON.parse(await done('datasources show clicks --json')).row_count).toBe(1500)
})

const TOP = `
name: top
nodes:
  - name: counted
    sql: SELECT page, count() AS n FROM clicks GROUP BY page
    copy_into: tops
    mode: replace
  - name: kept
    sql: SELECT id FROM clicks
    materialize_into: ids
---
name: reader
nodes:
  - { name: all_tops, sql: SELECT * FROM top }
`

test('pipes are applied in the order of the file: created, then replaced', async () => {
  const pipes = file('pipes.yaml', TOP)
  expect(await run(`pipes apply ${pipes}`)).toEqual({
    code: 0,
    stdout: 'top created\nreader created\n',
    // Without this hint, somebody would wonder why the data source is empty.
    stderr: 'millrace: ids gets what is appended from now on; what is there already: millrace populate top kept\n',
  })
  expect(await done(`pipes apply ${pipes}`)).toBe('top replaced\nreader replaced\n')
  expect(await done('pipes')).toMatch(/reader +\S+ +all_tops\ntop +\S+ +counted>tops kept>ids\n/)
  const shown = await done('pipes show top')
  expect(shown).toMatch(/counted {2}copied into tops \(replace\)\nSELECT[\s\S]*kept {2}materialized into ids/)
  const definition = file('again.yaml', await done('pipes show top --definition'))
  expect(await done(`pipes apply ${definition}`)).toBe('top replaced\n')
  expect(JSON.parse(await done('pipes show top --json')).nodes).toHaveLength(2)
})

test('a refused pipe is reported, and those after it are not applied', async () => {
  const { code, stdout, stderr } = await run(
    'pipes apply -',
    'name: bad\nnodes: [{name: n, sql: SELEC}]\n---\nname: x\n',
  )
  expect([code, stdout]).toEqual([125, ''])
  expect(stderr).toContain('nodes.0.sql: the node n: ')
  expect((await run('pipes apply -', 'nodes: []\n')).code).toBe(2)
})

test('a file of pipes may merge maps, like a file of workflows', async () => {
  const pipe = 'name: merged\nnodes:\n  - &one {name: a, sql: SELECT 1 AS n}\n  - {<<: *one, name: b}\n'
  expect(await run('pipes apply -', pipe)).toEqual({ code: 0, stdout: 'merged created\n', stderr: '' })
  expect(await done('pipes show merged --definition')).toContain('name: b\n    sql: SELECT 1 AS n\n')
})

test('populate and copy wait for their job and report what it has done', async () => {
  const populated = await run('populate top')
  expect(populated).toMatchObject({ code: 0, stdout: '' })
  expect(populated.stderr).toMatch(/^millrace: 1,500 rows written.*; 1,500 rows there now, /)
  expect(populated.stderr).not.toContain('--truncate')
  expect((await run('populate top')).stderr).toMatch(/rows that were there stay, .*--truncate/)
  expect((await run('populate top --truncate')).stderr).toMatch(/; 1,500 rows there now, \S+ \S+\n$/)
  const copied = await run('copy top counted --mode append')
  expect(copied.code, copied.stderr).toBe(0)
  expect(copied.stderr).toMatch(/^millrace: 1 row written/)
  const { statistics } = JSON.parse(await done('copy top --json'))
  expect(statistics).toMatchObject({ rows_written: 1, row_count: 1 })
  const id = (await done('populate top kept --detach --name mine')).trim()
  expect(await api(server.cwd, 'GET', `/v1/jobs/${id}?wait=60`)).toMatchObject({
    kind: 'populate',
    name: 'mine',
    status: 'completed',
  })
})

test('a failed job is reported in words, and the exit code is 1', async () => {
  const { code, stdout, stderr } = await run('populate top --condition nothing')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^millrace: Unknown expression( or function)? identifier `nothing`/)
})

test('a missing pipe is refused, and the exit code is 125', async () => {
  const { code, stdout, stderr } = await run('copy nowhere')
  expect([code, stdout]).toEqual([125, ''])
  expect(stderr).toContain('copy.pipe: there is no pipe nowhere; pipes with a copy node: top')
})

test('an empty quarantine is reported in words', async () => {
  expect(await run('datasources quarantine clicks')).toMatchObject({ code: 0, stderr: 'no rows in quarantine\n' })
})

test('truncate and drop require --yes', async () => {
  for (const line of ['datasources truncate clicks', 'datasources drop visits', 'pipes drop reader']) {
    const { code, stderr } = await run(line)
    expect([code, stderr]).toEqual([1, expect.stringContaining('--yes')])
  }
  expect(await done('datasources truncate clicks --yes')).toBe('clicks truncated\n')
  expect(await done('datasources drop visits -y')).toBe('visits deleted\n')
  expect((await run('pipes drop top -y')).stderr).toContain('data_source_in_use')
  expect(await done('pipes drop reader -y')).toBe('reader deleted\n')
  expect(await done('pipes drop top -y')).toBe('top deleted\n')
})

const altered = async (...args: string[]) => inProcess(['datasources', 'alter', 'visits', ...args], { cwd: server.cwd })

test('alter adds columns, and changes TTL and description', async () => {
  await done('datasources create - --sorting-key day', 'name: visits\nschema: "day Date, page String"\n')
  const columns = [
    '--add-column',
    'seconds Nullable(Float32), user UInt64 `json:$.user.id`',
    '--add-column',
    '`a b` UInt8',
  ]
  expect(await altered(...columns, '--ttl', 'day + INTERVAL 1 YEAR', '--description', 'mine')).toMatchObject({
    code: 0,
    stdout: 'visits altered\n',
    stderr: ['user', 'a b']
      .map(name => `millrace: from now on every file must have ${name}: it is not nullable and has no default\n`)
      .join(''),
  })
  const { schema, ...visits } = await api(server.cwd, 'GET', '/v1/datasources/visits')
  expect(visits).toMatchObject({ ttl: 'day + toIntervalYear(1)', description: 'mine' })
  expect(schema.slice(2)).toEqual([
    { name: 'seconds', type: 'Nullable(Float32)', json_path: null },
    { name: 'user', type: 'UInt64', json_path: '$.user.id' },
    { name: 'a b', type: 'UInt8', json_path: null },
  ])
  expect(await altered('--add-column', 'length Float32 DEFAULT 1.5')).toMatchObject({ code: 0, stderr: '' })
  expect(await done('datasources show visits')).toMatch(
    /COLUMN +TYPE +DEFAULT +JSON PATH\n[\s\S]*\nlength +Float32 +1.5\n/,
  )
  const { stdout } = await altered('--no-ttl', '--json')
  expect(JSON.parse(stdout)).toMatchObject({ ttl: null, description: 'mine', schema: { length: 6 } })
})

test('alter says what is wrong, in the words of the command where it can', async () => {
  expect(await altered()).toMatchObject({ code: 2, stderr: expect.stringContaining('give --add-column, --ttl') })
  expect(await altered('--add-column', 'seconds')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('"seconds" is not a column: write a name and a type'),
  })
  expect(await altered('--ttl', 'nope + INTERVAL 1 DAY')).toMatchObject({
    code: 125,
    stderr: expect.stringMatching(/ttl: Missing columns: 'nope'/),
  })
  expect(await altered('--add-column', 'page String')).toMatchObject({
    code: 125,
    stderr: expect.stringContaining('"page" is there twice'),
  })
  expect((await run('datasources alter nowhere --no-ttl')).code).toBe(125)
})

test('delete counts the rows and asks, and deletes what matches', async () => {
  const remove = (args: string[], options: { isTerminal?: boolean; input?: string } = {}) =>
    inProcess(['delete', 'numbered', ...args], { cwd: server.cwd, ...options })
  const rows = async () => (await api(server.cwd, 'GET', '/v1/datasources/numbered')).row_count
  const jobs = async () => (await api(server.cwd, 'GET', '/v1/jobs?kind=delete')).jobs.length
  await done('datasources create - --sorting-key n', 'name: numbered\nschema: "n UInt64"\n')
  await done('import - numbered --format ndjson', Array.from({ length: 9 }, (_, n) => `{"n":${n}}\n`).join(''))

  expect(await remove(['n < 4', '--dry-run'])).toEqual({
    code: 0,
    stdout: '',
    stderr: 'millrace: 4 rows would be deleted\n',
  })
  expect(await remove(['n < 4'])).toMatchObject({ code: 1, stderr: expect.stringContaining('--yes') })
  expect(await jobs()).toBe(1)

  const refused = await remove(['n < 4'], { isTerminal: true, input: 'n\n' })
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('Delete 4 rows of numbered? [y/N]') })
  expect(await rows()).toBe(9)
  const deleted = await remove(['n < 4'], { isTerminal: true, input: 'y\n' })
  expect(deleted).toMatchObject({ code: 0, stderr: expect.stringMatching(/4 rows deleted in .*; 5 rows there now, /) })
  const none = await remove(['n < 4'], { isTerminal: true, input: 'y\n' })
  expect(none).toMatchObject({ code: 0, stderr: expect.stringContaining('no rows match') })

  const { stdout } = await remove(['n = 8', '--yes', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ kind: 'delete', statistics: { rows_deleted: 1, row_count: 4 } })
  const detached = await remove(['n = 7', '-y', '--detach', '--name', 'mine'])
  expect(await api(server.cwd, 'GET', `/v1/jobs/${detached.stdout.trim()}?wait=60`)).toMatchObject({
    name: 'mine',
    status: 'completed',
    statistics: { rows_deleted: 1 },
  })
})

test('delete says what is wrong with the condition and the data source', async () => {
  for (const options of ['--yes', '--dry-run'])
    expect(await run(`delete numbered nothing=1 ${options}`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^millrace: Unknown expression( or function)? identifier `nothing`/),
    })
  expect(await run('delete nowhere n=1 --yes')).toMatchObject({ code: 125, stderr: expect.stringContaining('nowhere') })
  expect(await run('delete marked_quarantine n=1 --yes')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('millrace datasources truncate marked --quarantine'),
  })
  expect(await run('delete numbered')).toMatchObject({ code: 2, stderr: expect.stringContaining('condition') })
})

test('truncate removes only quarantined rows, all or those of one import', async () => {
  const quarantined = async () => (await api(server.cwd, 'GET', '/v1/datasources/marked')).quarantine_rows
  await done('datasources create - --sorting-key n', 'name: marked\nschema: "n UInt8"\n')
  for (const rows of ['1\nx\n', 'y\nz\n']) await done('import - marked --no-header', rows)
  const { rows } = await api(server.cwd, 'GET', '/v1/datasources/marked/quarantine')
  const id = rows.find(({ n }: { n: string }) => n === 'x').c__import_id
  for (const options of ['--quarantine', `--import ${id}`])
    expect(await run(`datasources truncate marked ${options}`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--yes'),
    })
  expect(await done(`datasources truncate marked --import ${id} --yes`)).toBe(
    `rows of ${id} removed from the quarantine of marked\n`,
  )
  expect(await quarantined()).toBe(2)
  expect(await done('datasources truncate marked --quarantine --yes')).toBe('quarantine of marked truncated\n')
  expect(await api(server.cwd, 'GET', '/v1/datasources/marked')).toMatchObject({ row_count: 1, quarantine_rows: 0 })
})

test('infer shows what an import would make of a file, as a table, a schema or JSON', async () => {
  const sales = file('sales.csv', 'day,the code,amount\n2026-11-01,007,1.5\n2026-11-02,008,\n')
  const shown = await run(`datasources infer ${sales}`)
  expect(shown).toEqual({
    code: 0,
    stdout: [
      'COLUMN    TYPE',
      'day       Date',
      'the code  String',
      'amount    Nullable(Float64)',
      '',
      'day         the code  amount',
      '2026-11-01       007  1.5',
      '2026-11-02       008',
      '',
    ].join('\n'),
    stderr: 'CSV separated by ",", with a header\n',
  })
  const schema = 'day Date, `the code` String, amount Nullable(Float64)'
  expect(await done(`datasources infer ${sales} --schema`)).toBe(`${schema}\n`)
  const made = await inProcess(['datasources', 'create', 'sales', '--schema', schema], { cwd: server.cwd })
  expect(made.stdout).toBe('sales created\n')
  const answer = JSON.parse(await done('datasources infer - -f ndjson --json', '{"who":{"id":1}}\n'))
  expect(answer.schema).toEqual([{ name: 'who_id', type: 'Int64', json_path: '$.who.id' }])
  expect(await run('datasources infer nowhere.csv')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('nowhere'),
  })
})

test('infer sends enough of a long file, also of one whose characters have two bytes each', async () => {
  const rows = JSON.stringify(Array.from({ length: 120_000 }, (_, id) => ({ id })))
  writeFileSync(join(server.cwd, 'long.json'), Buffer.from(rows, 'utf16le'))
  const answer = JSON.parse(await done('datasources infer long.json --encoding utf-16le --json'))
  expect(answer).toMatchObject({ schema: [{ name: 'id', type: 'Int64' }], whole: false })
})
