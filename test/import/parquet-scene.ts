import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type ImportScene, openImportScene, WORKSPACE } from './scene.ts'

export type ParquetScene = Pick<
  ImportScene,
  'call' | 'dataSource' | 'give' | 'import' | 'pipe' | 'rows' | 'run' | 'table' | 'value' | 'warehouse'
> & {
  /** Of the data source that a test is about. */
  readonly name: string
  /** The next test, or the next part of one, has another data source. */
  readonly renew: () => string
  /** An import into it, run to its end. */
  readonly load: (
    content: Uint8Array,
    fields?: Record<string, unknown>,
  ) => Promise<Awaited<ReturnType<ImportScene['import']>>>
  /** A file written by DuckDB; `options` of its `COPY`, each after a comma. */
  readonly fromDuckdb: (select: string, options?: string) => Promise<Buffer>
  /** A file written by the engine. */
  readonly fromEngine: (select: string) => Promise<Buffer>
}

/** For the tests of a file about Parquet: a server, or the one that `open` returns, and a data source with its own name for each test. */
export const useParquet = (open: () => Promise<ImportScene> = openImportScene): ParquetScene => {
  let scene: ImportScene
  let folder: string
  let count = 0
  beforeAll(async () => {
    scene = await open()
    folder = await mkdtemp(join(tmpdir(), 'millrace-parquet-'))
  })
  afterAll(async () => {
    await scene?.stop()
    await rm(folder, { recursive: true })
  })
  const nameOf = (at: number): string => `parquet_${at}`
  const renew = (): string => nameOf(++count)
  beforeEach(() => {
    renew()
  })

  const give: ImportScene['give'] = (path, answer) => scene.give(path, answer)
  return {
    get name() {
      return nameOf(count)
    },
    get warehouse() {
      return scene.warehouse
    },
    renew,
    give,
    call: (...request) => scene.call(...request),
    dataSource: (...given) => scene.dataSource(...given),
    import: fields => scene.import(fields),
    pipe: (...given) => scene.pipe(...given),
    run: body => scene.run(body),
    rows: <Row extends object>(sql: string) => scene.rows<Row>(sql),
    table: (...table) => scene.table(...table),
    value: sql => scene.value(sql),
    load: (content, fields = {}) =>
      scene.import({ datasource: nameOf(count), url: give(`/${nameOf(count)}.parquet`, content), ...fields }),
    fromDuckdb: async (select, options = '') => {
      const path = join(folder, `${nameOf(count)}.parquet`)
      await runDuckdb(`COPY (${select}) TO '${path}' (FORMAT parquet${options})`)
      return readFile(path)
    },
    fromEngine: async select => {
      const path = join(scene.warehouse.importFolder(WORKSPACE)!, `${nameOf(count)}.parquet`)
      await scene.warehouse.command({
        workspace: WORKSPACE,
        sql: `INSERT INTO FUNCTION file('${path}', 'Parquet') ${select}`,
        settings: { engine_file_truncate_on_insert: 1 },
      })
      return readFile(path)
    },
  }
}

const runDuckdb = async (sql: string): Promise<void> => {
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(sql)
  connection.closeSync()
}
