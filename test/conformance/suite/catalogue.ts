import { expect, test } from 'vitest'
import { EMPTY_CATALOGUE } from '../../../src/model/catalogue.ts'
import type { DataSource } from '../../../src/model/data-source.ts'
import type { Pipe } from '../../../src/model/pipe.ts'
import type { DataStore } from '../../../src/store/data-store.ts'
import type { AreaTests } from '../store-suite.ts'
import { leaseOf, WORKSPACE } from './scene.ts'

export const catalogueTests: AreaTests = scene => {
  const read = (knownVersion?: number, workspace = WORKSPACE) =>
    scene().store.readCatalogue({ workspace, ...(knownVersion !== undefined && { knownVersion }) })
  const change = (
    version: number,
    changes: Parameters<DataStore['changeCatalogue']>[0]['changes'],
    overrides: Partial<Parameters<DataStore['changeCatalogue']>[0]> = {},
  ) => scene().store.changeCatalogue({ workspace: WORKSPACE, version, changes, unlessLocked: [], ...overrides })

  test('the catalogue of a new workspace is empty and has version 0', async () => {
    expect(await read()).toEqual(EMPTY_CATALOGUE)
    expect(await read(0)).toBeNull()
    expect(await read(1)).toEqual(EMPTY_CATALOGUE)
  })

  test('data sources and pipes read back as they were written, ordered by name', async () => {
    const [first, second] = [dataSource('b', { description: 'ä "quoted" \u{1F600}' }), dataSource('a')]
    const pipes = [pipe('z'), pipe('Z'), pipe('c')]
    const outcome = await change(0, [put(first), put(pipes[0]!), put(second), put(pipes[1]!), put(pipes[2]!)])
    expect(outcome).toEqual({ type: 'changed', version: 1 })
    const expected = { version: 1, dataSources: [second, first], pipes: [pipes[1], pipes[2], pipes[0]] }
    expect(await read()).toEqual(expected)
    expect(await read(0)).toEqual(expected)
    await scene().reopen()
    expect(await read()).toEqual(expected)
  })

  test('the catalogue is not read again while its version is the known one', async () => {
    await change(0, [put(dataSource('a'))])
    expect(await read(1)).toBeNull()
    await change(1, [])
    expect(await read(1)).toMatchObject({ version: 2, dataSources: [{ name: 'a' }] })
  })

  test('an entry is replaced and dropped by its id', async () => {
    const [source, other] = [dataSource('a'), pipe('b')]
    await change(0, [put(source), put(other)])
    await change(1, [put({ ...source, name: 'renamed', updatedAt: 2 }), { type: 'drop_pipe', id: other.id }])
    expect(await read()).toEqual({
      version: 2,
      dataSources: [{ ...source, name: 'renamed', updatedAt: 2 }],
      pipes: [],
    })
    await change(2, [{ type: 'drop_data_source', id: source.id }])
    expect(await read()).toEqual({ version: 3, dataSources: [], pipes: [] })
  })

  test('changes are applied in order, and two entries may swap their names', async () => {
    const [a, b, c] = [dataSource('a'), dataSource('b'), pipe('c')]
    await change(0, [put(a), put(b), put(c), { type: 'drop_pipe', id: c.id }])
    expect(await read()).toEqual({ version: 1, dataSources: [a, b], pipes: [] })
    await change(1, [put({ ...a, name: 'b' }), put({ ...b, name: 'a' })])
    expect(await read()).toEqual({
      version: 2,
      dataSources: [
        { ...b, name: 'a' },
        { ...a, name: 'b' },
      ],
      pipes: [],
    })
  })

  test('a name is unique among data sources and pipes: such a change fails and changes nothing', async () => {
    const source = dataSource('taken')
    await change(0, [put(source)])
    await expect(change(1, [put(dataSource('new')), put(pipe('taken'))])).rejects.toThrow()
    expect(await read()).toEqual({ version: 1, dataSources: [source], pipes: [] })
    expect(await change(1, [])).toEqual({ type: 'changed', version: 2 })
  })

  test('a change based on another version is stale and changes nothing', async () => {
    for (const version of [1, 7]) expect(await change(version, [put(pipe('a'))])).toEqual({ type: 'stale' })
    await change(0, [put(pipe('a'))])
    for (const version of [0, 2]) expect(await change(version, [put(pipe('b'))])).toEqual({ type: 'stale' })
    expect(await read()).toMatchObject({ version: 1, pipes: [{ name: 'a' }] })
  })

  test('of several changes based on one version exactly one is applied', async () => {
    for (const version of [0, 1]) {
      const names = ['a', 'b', 'c', 'd'].map(name => `${name}${version}`)
      const outcomes = await Promise.all(names.map(name => change(version, [put(pipe(name))])))
      expect(outcomes.map(outcome => outcome.type).sort()).toEqual(['changed', 'stale', 'stale', 'stale'])
      const made = names[outcomes.findIndex(outcome => outcome.type === 'changed')]
      const catalogue = await read()
      expect(catalogue).toMatchObject({ version: version + 1 })
      expect(catalogue!.pipes.map(({ name }) => name)).toContain(made)
      expect(catalogue!.pipes).toHaveLength(version + 1)
    }
  })

  test('a change is refused while one of the tables it affects is locked', async () => {
    const job = await scene().start({ exclusiveKey: 'a' })
    const lease = leaseOf(job)
    await scene().store.lockTables({ workspace: WORKSPACE, tables: ['b', 'c'], holder: { lease } })
    await scene().store.lockTables({ workspace: WORKSPACE, tables: ['x'], holder: { callId: 'call', heldMs: 1000 } })
    const unlessLocked = ['a', 'c', 'b']
    expect(await change(0, [], { unlessLocked })).toEqual({ type: 'locked', table: 'b', jobId: job.id })
    expect(await change(0, [], { unlessLocked: ['x'] })).toEqual({ type: 'locked', table: 'x', jobId: null })
    expect(await read()).toEqual(EMPTY_CATALOGUE)
    expect(await change(0, [], { unlessLocked: ['a'] })).toEqual({ type: 'changed', version: 1 })
    await scene().end(job)
    scene().clock.advance(1000)
    expect(await change(1, [], { unlessLocked: [...unlessLocked, 'x'] })).toEqual({ type: 'changed', version: 2 })
  })

  test('invariant 11: workspaces have catalogues of their own, whatever ids and names they use', async () => {
    const [own, foreign] = [dataSource('same'), dataSource('same')]
    await change(0, [put(own)])
    expect(await read(undefined, 'other')).toEqual(EMPTY_CATALOGUE)
    await change(0, [put({ ...foreign, id: own.id })], { workspace: 'other' })
    await change(1, [{ type: 'drop_data_source', id: own.id }], { workspace: 'other' })
    expect(await read()).toEqual({ version: 1, dataSources: [own], pipes: [] })
    expect(await read(undefined, 'other')).toEqual({ version: 2, dataSources: [], pipes: [] })
  })
}

let nextId = 0
const newTableId = () => `t_${String(nextId++).padStart(32, '0')}`

const dataSource = (name: string, overrides: Partial<DataSource> = {}): DataSource => ({
  id: newTableId(),
  name,
  description: null,
  columns: [{ name: 'at', type: 'DateTime', jsonPath: '$.at' }],
  engine: 'MergeTree',
  sortingKey: 'at',
  partitionKey: null,
  ttl: null,
  format: null,
  createdAt: 1,
  updatedAt: 1,
  ...overrides,
})

const pipe = (name: string): Pipe => ({
  id: newTableId(),
  name,
  description: null,
  nodes: [{ name: 'node', sql: 'SELECT 1', role: { type: 'plain' }, reads: [], source: null }],
  createdAt: 1,
  updatedAt: 1,
})

const put = (document: DataSource | Pipe) =>
  'nodes' in document
    ? ({ type: 'put_pipe', pipe: document } as const)
    : ({ type: 'put_data_source', dataSource: document } as const)
