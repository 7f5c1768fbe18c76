import { afterAll, beforeAll, expect } from 'vitest'
import { type ImportScene, openImportScene } from './scene.ts'

export type Imported = { readonly stored: readonly (string | null)[]; readonly refused: readonly number[] }

const WRITERS = {
  ndjson: (values: readonly string[]) => values.map((value, n) => `{"n":${n},"v":${value}}\n`).join(''),
  csv: (values: readonly string[]) =>
    `n,v\n${values.map((value, n) => `${n},"${value.replaceAll('"', '""')}"\n`).join('')}`,
}

/** For the tests of a file: imports values into a column of a type, each time of a new data source, and tells what became of them. */
export const useExactImports = () => {
  let scene: ImportScene
  let count = 0
  beforeAll(async () => {
    scene = await openImportScene()
  })
  afterAll(() => scene.stop())

  return async (type: string, format: keyof typeof WRITERS, values: readonly string[]): Promise<Imported> => {
    const name = `exact_${++count}`
    await scene.dataSource(name, { n: 'UInt32', v: type })
    const url = scene.give(`/${name}.${format}`, WRITERS[format](values))
    const job = await scene.import({ datasource: name, url })
    expect(job).toMatchObject({ status: 'completed', statistics: { invalid_lines: 0 } })
    const rows = await scene.table(name, 'n')
    const [quarantine] = await scene.rows<{ result: number }>(`EXISTS TABLE ${name}_quarantine`)
    const isThere = Number(quarantine!.result) === 1
    const bad = isThere ? await scene.rows<{ n: string }>(`SELECT n FROM ${name}_quarantine`) : []
    const refused = bad.map(({ n }) => Number(n)).sort((a, b) => a - b)
    expect(job.statistics).toMatchObject({ rows_written: rows.length, quarantine_rows: refused.length })
    return { stored: rows.map(([, value]) => value!), refused }
  }
}
