/** A text as a literal of ClickHouse's SQL. For what is known to the server; values of users are bound as parameters. */
export const quoteText = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`
