import { createData, type Data } from '../../src/data/data.ts'
import { createPipe, type NewPipe } from '../../src/data/pipes/pipes.ts'
import { createDataSource, type NewDataSource } from '../../src/data/tables/data-sources.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import type { NodeRole } from '../../src/model/pipe.ts'
import { startTestServer, type TestServer } from '../server.ts'

export const WORKSPACE = 'default'

/** A real server and, over the same store and engine, functions to create data sources and pipes. */
export type DataScene = TestServer & {
  readonly data: Data
  readonly dataSource: (
    name: string,
    columns: Readonly<Record<string, string>>,
    more?: Partial<NewDataSource>,
  ) => Promise<void>
  readonly pipe: (name: string, nodes: readonly NodeText[]) => Promise<void>
  /** Rows of a statement of the server's own on live tables. */
  readonly rows: <Row extends object>(sql: string) => Promise<readonly Row[]>
  /** The single value of the single row, as text. */
  readonly value: (sql: string) => Promise<string>
  /** Staging databases of attempts. */
  readonly staging: () => Promise<readonly string[]>
}

type NodeText = { readonly name: string; readonly sql: string; readonly role?: NodeRole }

export const openDataScene = async (options: Parameters<typeof startTestServer>[0] = {}): Promise<DataScene> =>
  withData(await startTestServer(options))

const withData = (server: TestServer): DataScene => {
  const { store, warehouse } = server
  const data = createData({
    store,
    warehouse,
    logger: silentLogger,
    quarantineKeptMs: Number.POSITIVE_INFINITY,
    jobsLogKeptMs: Number.POSITIVE_INFINITY,
  })
  const rows = <Row extends object>(sql: string) => warehouse.rows<Row>({ workspace: WORKSPACE, sql })
  return {
    ...server,
    data,
    rows,
    dataSource: async (name, columns, more = {}) => {
      const list = Object.entries(columns).map(([column, type]) => ({ name: column, type, jsonPath: null }))
      await createDataSource(data, WORKSPACE, { name, columns: list, ...more })
    },
    pipe: async (name, nodes) => {
      const plain: NodeRole = { type: 'plain' }
      const given: NewPipe = { name, nodes: nodes.map(node => ({ ...node, role: node.role ?? plain })) }
      await createPipe(data, WORKSPACE, given)
    },
    value: async sql => {
      const [row] = await rows<Record<string, unknown>>(sql)
      return String(Object.values(row!)[0])
    },
    staging: async () =>
      (await rows<{ name: string }>("SELECT name FROM system.databases WHERE name LIKE 'stg_%'")).map(
        ({ name }) => name,
      ),
  }
}

export const materialized = (into: string): NodeRole => ({ type: 'materialized', into })
