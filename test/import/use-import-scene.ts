import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type ImportScene, openImportScene } from './scene.ts'

/** How many rows were written, quarantined and could not be read. */
export const written = ({ statistics }: { statistics: Record<string, number> }) => [
  statistics.rows_written,
  statistics.quarantine_rows,
  statistics.invalid_lines,
]

/** A scene from the first `beforeAll` on, and a data source with its own name for each test. */
export type UsedImportScene = ImportScene & {
  /** Of the data source that a test is about. */
  readonly name: string
  /** The next part of a test has another data source, which is not made yet. Returns its name. */
  readonly renew: () => string
  /** An import into it, run to its end. */
  readonly load: (
    content: string | Uint8Array,
    fields?: Record<string, unknown>,
  ) => Promise<Awaited<ReturnType<ImportScene['import']>>>
}

type Options = {
  /** Makes the data source of each test. Absent: a test makes it, or its import does. */
  readonly columns?: Readonly<Record<string, string>>
  readonly open?: () => Promise<ImportScene>
}

/** For the tests of a file: a server, and data sources and files that are named after this extension. */
export const useImportScene = (
  extension: string,
  { columns, open = openImportScene }: Options = {},
): UsedImportScene => {
  let count = 0
  const own = {
    name: '',
    renew: (): string => {
      own.name = `${extension}_${++count}`
      return own.name
    },
    load: (content: string | Uint8Array, fields: Record<string, unknown> = {}) =>
      scene.import({ datasource: own.name, url: scene.give(`/${own.name}.${extension}`, content), ...fields }),
  }
  const scene = own as typeof own & ImportScene
  let opened: ImportScene | null = null
  beforeAll(async () => {
    opened = await open()
    Object.assign(scene, opened)
  })
  afterAll(() => opened?.stop())
  beforeEach(async () => {
    own.renew()
    if (columns !== undefined) await scene.dataSource(own.name, columns)
  })
  return scene
}
