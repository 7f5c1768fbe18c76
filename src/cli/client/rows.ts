import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { send } from './request.ts'
import { rowPairs } from './row-pairs.ts'
import type { ServerAddress } from './server-address.ts'

export type Row = Readonly<Record<string, unknown>>

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
  const { body } = await send(server, { path })
  const rows: ReturnType<typeof rowPairs>[] = []
  if (body === null) return { names: [], values: [] }
  const source = Readable.fromWeb(body)
  try {
    for await (const line of createInterface({ input: source })) {
      if (rows.length === limit) break
      rows.push(rowPairs(line))
    }
  } finally {
    source.destroy()
  }
  return { names: rows[0]?.map(([name]) => name) ?? [], values: rows.map(row => row.map(([, value]) => value)) }
}
