import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { send } from './request.ts'
import type { ServerAddress } from './server-address.ts'

export type Row = Readonly<Record<string, unknown>>

/** The first rows of a result in NDJSON; of a longer one no more is downloaded. */
export const firstRows = async (
  server: ServerAddress,
  { path, limit }: { readonly path: string; readonly limit: number },
): Promise<readonly Row[]> => {
  const { body } = await send(server, { path })
  const rows: Row[] = []
  if (body === null) return rows
  const source = Readable.fromWeb(body)
  try {
    for await (const line of createInterface({ input: source })) {
      if (rows.length === limit) break
      rows.push(JSON.parse(line) as Row)
    }
  } finally {
    source.destroy()
  }
  return rows
}
