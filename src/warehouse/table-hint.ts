/**
 * An exception whose hint at a table of a similar name (`Maybe you meant live.sales?`) names it as a query of this database may.
 * Without a hint, when the table is of another database: that of another workspace, or one that nobody may read.
 */
export const withOwnHint = (text: string, database: string): string =>
  text.replace(HINT, (_, of: string, table: string) =>
    of === database && !table.startsWith(SERVERS_OWN) ? ` Maybe you meant ${table}?` : '',
  )

/** Of an unknown identifier the sentence goes on after the question mark. */
const HINT = / Maybe you meant `?([\w-]+)`?\.`?(\w+)`?\?\.?/g

const SERVERS_OWN = 'c__'
