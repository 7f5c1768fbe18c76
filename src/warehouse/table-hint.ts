/**
 * Rewrites an exception's hint at a similar table (`Maybe you meant live.sales?`) to the name that a query in this database may use. Drops it if the table is
 * in another database or is one of the server's own.
 */
export const withOwnHint = (text: string, database: string): string =>
  text.replace(HINT, (_, of: string, table: string) =>
    of === database && !table.startsWith(SERVERS_OWN) ? ` Maybe you meant ${table}?` : '',
  )

/** For an unknown identifier, the sentence goes on after the question mark. */
const HINT = / Maybe you meant `?([\w-]+)`?\.`?(\w+)`?\?\.?/g

const SERVERS_OWN = 'c__'
