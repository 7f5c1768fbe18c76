import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { materialized } from '../data/scene.ts'
import { startTcpEngine, type TcpEngine } from '../warehouse/tcp-engine.ts'
import { type ImportScene, openImportScene } from './scene.ts'

// Columns with a default, for rows that lack a value: added to a data source that has rows, or there from the start.

const COLUMNS = [
  { name: 'n', type: 'UInt8', default: '7' },
  { name: 'text', type: 'LowCardinality(String)', default: "'none'" },
  { name: 'list', type: 'Array(UInt8)', default: '[1, 2]' },
  { name: 'at', type: "DateTime('UTC')", default: "'2026-01-01 00:00:00'" },
  { name: 'share', type: 'Float32', default: '0.1' },
  { name: 'shares', type: 'Array(Float32)', default: '[0.1, 2]' },
  { name: 'large', type: 'Int128', default: '-170141183460469231731687303715884105728' },
  { name: 'deep', type: 'Decimal(9, 2)', json_path: '$.a.b', default: '1.5' },
]
const NUMBERS = ['0.1', '[0.1,2]', '-170141183460469231731687303715884105728']
const DEFAULTS = ['7', 'none', '[1,2]', '2026-01-01 00:00:00', ...NUMBERS, '1.5']

describe.each(['embedded', 'over TCP'])('with an engine that is %s', kind => {
  let scene: ImportScene
  let engine: TcpEngine | null = null
  beforeAll(async () => {
    if (kind === 'over TCP') engine = await startTcpEngine()
    scene = await openImportScene(engine === null ? {} : { 'clickhouse-url': engine.url })
  })
  afterAll(async () => {
    await scene?.stop()
    await engine?.close()
  })

  const create = async (name: string) => {
    const schema = [{ name: 'id', type: 'UInt32' }, ...COLUMNS]
    const made = await scene.call('POST', '/v1/datasources', { name, schema, sorting_key: 'id' })
    expect(made.status, JSON.stringify(made.body)).toBe(201)
  }
  const imported = async (datasource: string, file: string, content: string | Uint8Array) => {
    const job = await scene.import({ datasource, url: scene.give(file, content) })
    expect(job, JSON.stringify(job.error)).toMatchObject({ status: 'completed' })
    return job.statistics
  }
  const parquet = async (query: string): Promise<Uint8Array> => {
    const job = await scene.run({ query, format: 'parquet' })
    const headers = { authorization: `Bearer ${scene.token}` }
    const result = await fetch(`${scene.url}/v1/jobs/${job.job_id}/result`, { headers })
    return new Uint8Array(await result.arrayBuffer())
  }

  test('a file without the columns gets the defaults, in every format', async () => {
    await create('lacking')
    await imported('lacking', '/a.csv', 'id\n1\n')
    await imported('lacking', '/a.ndjson', '{"id":2}\n')
    await imported('lacking', '/a.parquet', await parquet('SELECT 3 AS id'))
    expect(await scene.table('lacking')).toEqual(['1', '2', '3'].map(id => [id, ...DEFAULTS]))
  })

  test('a missing value gets the default where it would be NULL, a value that is there counts, and a wrong one is quarantined', async () => {
    await create('partial')
    const csv = 'id,n,text,list,at,deep\n1,,,,,\n2,3,x,"[5]",2026-02-02 00:00:00,2.25\n3,300,,,,\n'
    expect(await imported('partial', '/b.csv', csv)).toMatchObject({ rows_written: 2, quarantine_rows: 1 })
    const ndjson = [
      '{"id":4,"n":null,"text":null,"list":null,"at":null,"a":{"b":null}}',
      '{"id":5,"n":3,"text":"","list":[],"at":"2026-02-02 00:00:00","a":{"b":2.25}}',
      '{"id":6,"n":"x"}',
      '{"id":7,"a":{}}',
      '{"id":10,"n":"","text":"","at":"","share":"","a":{"b":""}}',
    ].join('\n')
    expect(await imported('partial', '/b.ndjson', ndjson)).toMatchObject({ rows_written: 4, quarantine_rows: 1 })
    const rows = `SELECT arrayJoin([8, 9]) AS id, if(id = 8, NULL, toInt64(3)) AS n, if(id = 8, NULL, 'x') AS text,
    if(id = 8, NULL, toDateTime('2026-02-02 00:00:00', 'UTC')) AS at, if(id = 8, NULL, toDecimal32(2.25, 2)) AS deep`
    expect(await imported('partial', '/b.parquet', await parquet(rows))).toMatchObject({ rows_written: 2 })
    expect(await scene.table('partial', 'id')).toEqual([
      ['1', ...DEFAULTS],
      ['2', '3', 'x', '[5]', '2026-02-02 00:00:00', ...NUMBERS, '2.25'],
      ['4', ...DEFAULTS],
      ['5', '3', '', '[]', '2026-02-02 00:00:00', ...NUMBERS, '2.25'],
      ['7', ...DEFAULTS],
      ['8', ...DEFAULTS],
      ['9', '3', 'x', '[1,2]', '2026-02-02 00:00:00', ...NUMBERS, '2.25'],
      ['10', '7', '', ...DEFAULTS.slice(2)],
    ])
  })

  test('an added column has its default in the rows that are there, in nodes that lack it, in queries, and after a delete', async () => {
    for (const name of ['grown', 'fed']) {
      await scene.dataSource(name, { id: 'UInt32' }, { sortingKey: 'id' })
      await imported(name, '/c.csv', 'id\n1\n2\n')
    }
    await scene.pipe('feeding', [{ name: 'passed', sql: 'SELECT id FROM grown', role: materialized('fed') }])
    for (const name of ['grown', 'fed']) {
      const { body: before } = await scene.call('GET', `/v1/datasources/${name}`)
      const { status, body } = await scene.call('PUT', `/v1/datasources/${name}`, {
        schema: [...before.schema, { name: 'n', type: 'UInt8', default: '7' }],
      })
      expect(status, JSON.stringify(body)).toBe(200)
      expect(body.schema[1]).toEqual({ name: 'n', type: 'UInt8', json_path: null, default: '7' })
      expect((await scene.call('PUT', `/v1/datasources/${name}`, body)).status).toBe(200)
    }
    await imported('grown', '/d.csv', 'id\n3\n')
    expect(await scene.run({ query: 'SELECT 4 AS id', datasource: 'grown' })).toMatchObject({ error: null })
    await imported('grown', '/e.csv', 'id,n\n5,1\n')
    expect(await scene.run({ delete: { datasource: 'grown', condition: 'id = 2' } })).toMatchObject({ error: null })
    const rows = ['1,7', '3,7', '4,7', '5,1'].map(row => row.split(','))
    expect(await scene.table('grown', 'id')).toEqual(rows)
    expect(await scene.table('fed', 'id')).toEqual(['1', '2', '3', '4', '5'].map(id => [id, '7']))
  })
})
