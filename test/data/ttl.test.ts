import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { prepareTtl } from '../../src/data/tables/change-ttl.ts'
import { alterDataSource, getDataSource } from '../../src/data/tables/data-sources.ts'
import { findDataSource } from '../../src/model/catalogue-graph.ts'
import type { DataSource } from '../../src/model/data-source.ts'
import { type Warehouse, WarehouseError } from '../../src/warehouse/warehouse.ts'
import { startTcpEngine, type TcpEngine } from '../warehouse/tcp-engine.ts'
import { anotherData } from './another-data.ts'
import { type DataScene, openDataScene, WORKSPACE } from './scene.ts'

// The TTL of a data source that has rows, set, changed and removed.

/** Rows of ten days ago, of now, and of a day that no test reaches. */
const ROWS = `SELECT arrayJoin([today() - 10, today(), toDate('2100-01-01')]) AS day, toUInt8(toYear(day) = 2100) AS n, day AS top`

describe.each(['embedded', 'over TCP'])('with an engine that is %s', kind => {
  let engine: TcpEngine | null = null
  let scene: DataScene
  let live: string
  let name: string
  let count = 0

  beforeAll(async () => {
    if (kind === 'over TCP') engine = await startTcpEngine()
    scene = await openDataScene(engine === null ? {} : { settings: { 'clickhouse-url': engine.url } })
    live = scene.warehouse.database(WORKSPACE)
  })
  afterAll(async () => {
    await scene?.stop()
    await engine?.close()
  })

  beforeEach(async () => {
    name = `expiring_${++count}`
    await scene.dataSource(name, { day: 'Date', n: 'UInt8', top: 'Date' }, { sortingKey: 'day' })
    await append()
  })

  const append = async () =>
    expect(await scene.run({ query: ROWS, datasource: name, mode: 'append' })).toMatchObject({ error: null })
  const put = (body: unknown) => scene.call('PUT', `/v1/datasources/${name}`, body)
  const change = async (ttl: string | null) => {
    const { status, body } = await put({ ttl })
    expect(status, JSON.stringify(body)).toBe(200)
    return body.ttl as string | null
  }
  const rowCount = async (): Promise<number> => (await scene.call('GET', `/v1/datasources/${name}`)).body.row_count
  const table = async (of = name) => {
    const [found] = await scene.rows<{ engine: string; uuid: string }>(
      `SELECT engine_full AS engine, toString(uuid) AS uuid FROM system.tables WHERE database = '${live}' AND name = '${of}'`,
    )
    return found!
  }
  /** The days in parts of the table after which the engine drops rows. */
  const expiryDays = () =>
    scene.value(`SELECT arraySort(groupUniqArray(toString(toDate(delete_ttl_info_max)))) FROM system.parts
      WHERE database = '${live}' AND table = '${name}' AND active`)
  const others = () =>
    scene.value(`SELECT count() FROM system.tables WHERE database = '${live}' AND name LIKE 'c\\_\\_renewed%'`)

  test('a TTL is set: rows that have expired go, others stay, and the same holds for rows written later', async () => {
    expect(await change('day + INTERVAL 5 DAY')).toBe('day + toIntervalDay(5)')
    expect(await expiryDays()).toBe('2100-01-06')
    await expect.poll(rowCount, { timeout: 60_000, interval: 200 }).toBe(2)
    await append()
    await expect.poll(rowCount, { timeout: 60_000, interval: 200 }).toBeLessThan(6)
    expect(await expiryDays()).toBe('2100-01-06')
    expect((await table()).engine).toContain(' TTL day + toIntervalDay(5) SETTINGS ')
    expect(await others()).toBe('0')
  })

  test('a TTL is made longer and removed: the times that were computed before no longer count', async () => {
    await change('day + INTERVAL 20 DAY')
    expect(await expiryDays()).toBe('2100-01-21')
    await change('day + INTERVAL 30 DAY')
    expect(await expiryDays()).toBe('2100-01-31')
    expect(await change(null)).toBeNull()
    expect((await table()).engine).not.toContain('TTL')
    expect(await expiryDays()).toBe('1970-01-01')
    expect(await rowCount()).toBe(3)
    await append()
    expect(await rowCount()).toBe(6)
  })

  test('a column and a TTL that reads it are added at once', async () => {
    const { body: before } = await scene.call('GET', `/v1/datasources/${name}`)
    const schema = [...before.schema, { name: 'until', type: "DateTime('UTC')" }]
    const { status, body } = await put({ schema, ttl: 'if(until = 0, day, toDate(until)) + INTERVAL 20 YEAR' })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(await rowCount()).toBe(3)
    const query = "SELECT today() AS day, 1 AS n, day AS top, toDateTime('2026-01-01 00:00:00') AS until"
    expect(await scene.run({ query, datasource: name })).toMatchObject({ error: null, statistics: { row_count: 4 } })
  })

  test('the same TTL changes no table, whether sent as shown or as written', async () => {
    await change('day + INTERVAL 5 YEAR')
    const { uuid } = await table()
    const { body } = await scene.call('GET', `/v1/datasources/${name}`)
    expect((await put(body)).status).toBe(200)
    expect((await put({ description: 'other' })).body.ttl).toBe('day + toIntervalYear(5)')
    await change('day  + INTERVAL 5 YEAR')
    expect((await table()).uuid).toBe(uuid)
  })

  test.each([
    ['does not parse', 'day +'],
    ['names an unknown column', 'nope + INTERVAL 1 DAY'],
    ['reads no column', "toDate('2026-01-01')"],
    ['reads only the time', 'now()'],
    ['is no time', 'n'],
    ['cannot be computed for a row', "toDate(if(n = 1, 'x', '2100-01-01'))"],
    ['has more than an expression', 'day DELETE WHERE n = 1'],
  ])('a TTL that %s is refused, and nothing has changed', async (_, ttl) => {
    const { uuid } = await table()
    const { status, body } = await put({ ttl })
    expect([status, body.code, body.errors?.map(({ path }: { path: string }) => path)], JSON.stringify(body)).toEqual([
      422,
      'invalid',
      ['ttl'],
    ])
    expect(await table()).toMatchObject({ uuid })
    expect((await getDataSource(scene.data, WORKSPACE, name)).ttl).toBeNull()
    expect(await others()).toBe('0')
  })

  test('a data source that is being written is not changed', async () => {
    const holder = { callId: 'call', heldMs: 60_000 }
    await scene.store.lockTables({ workspace: WORKSPACE, tables: [name], holder })
    expect(await put({ ttl: 'day + INTERVAL 1 YEAR' })).toMatchObject({ status: 409, body: { code: 'data_busy' } })
    await scene.store.unlockTables({ workspace: WORKSPACE, holder })
    await change('day + INTERVAL 1 YEAR')
  })

  test('a TTL is not blamed if another call changed the columns first', async () => {
    const more = { name: 'more', type: 'UInt8', jsonPath: null }
    const { columns } = await getDataSource(scene.data, WORKSPACE, name)
    let isFirst = true
    const store: typeof scene.store = {
      ...scene.store,
      lockTables: async input => {
        if (isFirst) {
          isFirst = false
          await alterDataSource(scene.data, WORKSPACE, name, { columns: [...columns, more] })
        }
        return scene.store.lockTables(input)
      },
    }
    const change = alterDataSource({ ...scene.data, store }, WORKSPACE, name, { ttl: 'day + INTERVAL 1 YEAR' })
    await expect(change).rejects.toMatchObject({ code: 'data_busy' })
    expect(await others()).toBe('0')
  })

  /** As a server leaves it that dies between catalogue and engine. */
  const changeOnlyCatalogue = async (more: Partial<DataSource>) => {
    const catalogue = await scene.data.catalogue(WORKSPACE)
    const dataSource = { ...findDataSource(catalogue, name)!, ...more }
    await scene.store.changeCatalogue({
      workspace: WORKSPACE,
      version: catalogue.version,
      changes: [{ type: 'put_data_source', dataSource }],
      unlessLocked: [],
    })
  }

  test.each([
    ['set', null, 'day + toIntervalDay(20)', '2100-01-21'],
    ['changed', 'day + toIntervalDay(20)', 'day + toIntervalDay(30)', '2100-01-31'],
    ['removed', 'day + toIntervalDay(20)', null, '1970-01-01'],
  ])('a TTL that was being %s when the server died is so after its next start', async (_, before, after, days) => {
    await change(before)
    await changeOnlyCatalogue({ ttl: after })
    const data = anotherData(scene)
    await data.ready(WORKSPACE)
    expect(await expiryDays()).toBe(days)
    const { uuid } = await table()
    await anotherData(scene).ready(WORKSPACE)
    expect((await table()).uuid).toBe(uuid)
    expect(await rowCount()).toBe(3)
  })

  test('a change that was interrupted before the catalogue changed leaves the table as it is', async () => {
    await change('day + toIntervalDay(20)')
    const { uuid } = await table()
    const before = await getDataSource(scene.data, WORKSPACE, name)
    await prepareTtl(scene.data, WORKSPACE, before, { ...before, ttl: 'day + toIntervalDay(30)' })
    expect(await others()).toBe('1')
    await anotherData(scene).ready(WORKSPACE)
    expect([await others(), (await table()).uuid]).toEqual(['0', uuid])
    expect([await expiryDays(), await rowCount()]).toEqual(['2100-01-21', 3])
  })

  test('a change that another server left is made before this one writes the table, whatever holds it at the start', async () => {
    const columns = ['day Date', 'n UInt8', 'top Date', 'more UInt8'].map(text => {
      const [column, type] = text.split(' ')
      return { name: column!, type: type!, jsonPath: null }
    })
    await changeOnlyCatalogue({ ttl: 'day + toIntervalDay(20)', columns })
    const holder = { callId: 'dead', heldMs: 60_000 }
    await scene.store.lockTables({ workspace: WORKSPACE, tables: [name], holder })
    const data = anotherData(scene)
    await data.ready(WORKSPACE)
    expect((await table()).engine).not.toContain('TTL')
    await scene.store.unlockTables({ workspace: WORKSPACE, holder })
    const query = 'SELECT today() AS day, 1 AS n, day AS top, 1 AS more'
    // The server of the scene looked at its tables long ago.
    expect(await scene.run({ query, datasource: name })).toMatchObject({ error: null, statistics: { row_count: 4 } })
    expect(await expiryDays()).toMatch(/2100-01-21$/)
    await data.ready(WORKSPACE)
    expect((await table()).engine).toContain(' TTL day + toIntervalDay(20) SETTINGS ')
  })

  test.each(['EXCHANGE TABLES', 'DROP TABLE'])(
    'a change whose %s the engine fails to do is done before anything else happens',
    async failing => {
      let isChanged = false
      const command: Warehouse['command'] = async statement => {
        if (isChanged && statement.sql.startsWith(failing)) throw new WarehouseError('engine_lost', 'It is gone.')
        return scene.warehouse.command(statement)
      }
      const store: typeof scene.store = {
        ...scene.store,
        changeCatalogue: async input => {
          isChanged = true
          return scene.store.changeCatalogue(input)
        },
      }
      const data = { ...anotherData(scene, { ...scene.warehouse, command }), store }
      const ttl = 'day + toIntervalDay(20)'
      await expect(alterDataSource(data, WORKSPACE, name, { ttl })).rejects.toThrow('It is gone.')
      expect(isChanged).toBe(true)
      isChanged = false
      expect((await getDataSource(data, WORKSPACE, name)).ttl).toBe(ttl)
      await data.ready(WORKSPACE)
      expect(await expiryDays()).toBe('2100-01-21')
      expect([await rowCount(), await others()]).toEqual([3, '0'])
    },
  )

  test.each([
    ['quotes', '`day` + INTERVAL 20 DAY'],
    ['a name that the engine shows without its quotes', '`top` + INTERVAL 20 DAY'],
    ['a text that looks like a TTL', "day + if(' TTL ' = ' SETTINGS ', toIntervalDay(1), toIntervalDay(20))"],
    ['many branches', 'CASE WHEN n = 1 THEN day + INTERVAL 20 DAY WHEN n = 2 THEN day ELSE day + INTERVAL 2 DAY END'],
    ['lists and functions', 'arrayMax(x -> x + INTERVAL 20 DAY, [day, day - 1, tupleElement((day, n), 1)])'],
    ['parentheses', '((day) + (INTERVAL 10 DAY + INTERVAL 10 DAY))'],
    ['negative numbers', 'day - INTERVAL -20 DAY'],
    ['functions by other names', "IF(n = 2, LAST_DAY(day), COALESCE(day, DATE_TRUNC('month', day))) + INTERVAL 20 DAY"],
  ])('a TTL with %s is known again at the next start', async (_, ttl) => {
    await change(ttl)
    const { uuid } = await table()
    expect(await expiryDays()).toBe('2100-01-21')
    await anotherData(scene).ready(WORKSPACE)
    expect((await table()).uuid).toBe(uuid)
  })
})
