import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll } from 'vitest'
import { type ImportScene, openImportScene, WORKSPACE } from './scene.ts'
import { type UsedImportScene, useImportScene } from './use-import-scene.ts'

export type ParquetScene = UsedImportScene & {
  /** A file written by DuckDB; `options` of its `COPY`, each after a comma. */
  readonly fromDuckdb: (select: string, options?: string) => Promise<Buffer>
  /** A file written by the engine. */
  readonly fromEngine: (select: string) => Promise<Buffer>
}

/** For the tests of a file about Parquet: a server, or the one that `open` returns, and a data source with its own name for each test. */
export const useParquet = (open: () => Promise<ImportScene> = openImportScene): ParquetScene => {
  const scene = useImportScene('parquet', { open })
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-parquet-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  return Object.assign(scene, {
    fromDuckdb: async (select: string, options = '') => {
      const path = join(folder, `${scene.name}.parquet`)
      await runDuckdb(`COPY (${select}) TO '${path}' (FORMAT parquet${options})`)
      return readFile(path)
    },
    fromEngine: async (select: string) => {
      const path = join(scene.warehouse.importFolder(WORKSPACE)!, `${scene.name}.parquet`)
      await scene.warehouse.command({
        workspace: WORKSPACE,
        sql: `INSERT INTO FUNCTION file('${path}', 'Parquet') ${select}`,
        settings: { engine_file_truncate_on_insert: 1 },
      })
      return readFile(path)
    },
  })
}

const runDuckdb = async (sql: string): Promise<void> => {
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(sql)
  connection.closeSync()
}
