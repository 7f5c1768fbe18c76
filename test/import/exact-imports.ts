import { expect } from 'vitest'
import { useImportScene } from './use-import-scene.ts'

export type Imported = { readonly stored: readonly (string | null)[]; readonly refused: readonly number[] }

export type ExactCase = {
  readonly type: string
  /** By the text in the file, the stored value. */
  readonly good: Readonly<Record<string, string | null>>
  readonly bad: readonly string[]
}

/** Stored exactly as written. */
export const same = (...texts: readonly string[]) => Object.fromEntries(texts.map(text => [text, text]))

const WRITERS = {
  ndjson: (values: readonly string[]) => values.map((value, n) => `{"n":${n},"v":${value}}\n`).join(''),
  csv: (values: readonly string[]) =>
    `n,v\n${values.map((value, n) => `${n},"${value.replaceAll('"', '""')}"\n`).join('')}`,
}

type Format = keyof typeof WRITERS

/** For the tests of a file: imports values into a column of a type, each time into a new data source, and reports the outcome, or checks it. */
export const useExactImports = () => {
  const scene = useImportScene('csv')

  const imported = async (type: string, format: Format, values: readonly string[]): Promise<Imported> => {
    const name = scene.renew()
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
  /** All in one file, and the valid ones by themselves, which are loaded in another way. */
  const check = async (format: Format, { type, good, bad }: ExactCase) => {
    const texts = Object.keys(good)
    const all = await imported(type, format, [...bad, ...texts])
    expect.soft(all).toEqual({ stored: Object.values(good), refused: bad.map((_, n) => n) })
    expect.soft(await imported(type, format, texts)).toEqual({ stored: Object.values(good), refused: [] })
  }
  return { imported, check }
}
