import { readNdjson } from './ndjson.ts'
import { receive } from './request.ts'
import { rowPairs } from './row-pairs.ts'
import type { ServerAddress } from './server-address.ts'

/** A row by column name. */
export type Row = Readonly<Record<string, unknown>>

/** Rows with their columns in order, which a `Row` would not keep. */
export type Rows = {
  /** Column names, possibly with duplicates. */
  readonly names: readonly string[]
  readonly values: readonly (readonly unknown[])[]
}

/** The first rows of an NDJSON result. Stops downloading after them. */
export const firstRows = async (
  server: ServerAddress,
  { path, limit }: { readonly path: string; readonly limit: number },
): Promise<Rows> => {
  const rows: ReturnType<typeof rowPairs>[] = []
  for await (const more of readNdjson(receive(server, { path }), rowPairs)) {
    rows.push(...more)
    if (rows.length >= limit) break
  }
  const shown = rows.slice(0, limit)
  return { names: shown[0]?.map(([name]) => name) ?? [], values: shown.map(row => row.map(([, value]) => value)) }
}
