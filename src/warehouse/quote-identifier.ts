/**
 * Quotes a name so that ClickHouse reads it back unchanged: in backquotes, with backslash and backquote escaped
 * (https://clickhouse.com/docs/sql-reference/syntax#identifiers).
 */
export const quoteIdentifier = (name: string): string => `\`${name.replace(/[\\`]/g, '\\$&')}\``
