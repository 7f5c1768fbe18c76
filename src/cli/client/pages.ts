import { call } from './request.ts'
import type { ServerAddress } from './server-address.ts'

type Listing = {
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>
  /** The most entries in all. */
  readonly limit: number
}

/** The entries under the API's name for them, and the cursor. */
export type Page<Name extends string, Entry> = { readonly [name in Name]: readonly Entry[] } & {
  readonly next_cursor: string | null
}

const LARGEST_PAGE = 500

/** Reads a list until there are `limit` entries or no more. A short page may still have a next one. */
export const readPages = async <Entry, Name extends string = string>(
  server: ServerAddress,
  name: Name,
  { path, query, limit }: Listing,
): Promise<Page<Name, Entry>> => {
  const found: Entry[] = []
  let cursor: string | null = null
  do {
    const size = Math.min(limit - found.length, LARGEST_PAGE)
    const page: Page<Name, Entry> = await call<Page<Name, Entry>>(server, {
      path,
      query: { ...query, limit: size, ...(cursor === null ? {} : { cursor }) },
    })
    found.push(...page[name])
    cursor = page.next_cursor
  } while (cursor !== null && found.length < limit)
  return { [name]: found, next_cursor: cursor } as Page<Name, Entry>
}

/** All entries of a list, however many. */
export const readAll = async <Entry>(
  server: ServerAddress,
  name: string,
  listing: Omit<Listing, 'limit'>,
): Promise<readonly Entry[]> => (await readPages<Entry>(server, name, { ...listing, limit: Infinity }))[name]!
