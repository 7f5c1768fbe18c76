/** Quotes a text as a ClickHouse literal. Only for values from the server; users' values are bound as parameters. */
export const quoteText = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`
