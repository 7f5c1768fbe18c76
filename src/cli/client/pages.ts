import { call } from './request.ts'
import type { ServerAddress } from './server-address.ts'

type Listing = {
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>
  /** At most so many in all. */
  readonly limit: number
}

/** What the API calls the entries, and where it goes on. */
export type Page<Name extends string, Entry> = { readonly [name in Name]: readonly Entry[] } & {
  readonly next_cursor: string | null
}

const LARGEST_PAGE = 500

/** Reads a list until there are `limit` entries or no more: a page may be short and still have a next one. */
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
