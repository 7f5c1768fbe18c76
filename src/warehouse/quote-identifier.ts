/**
 * A name as ClickHouse reads it back unchanged, whatever it holds: in backquotes, with backslash and backquote escaped
 * (https://clickhouse.com/docs/sql-reference/syntax#identifiers).
 */
export const quoteIdentifier = (name: string): string => `\`${name.replace(/[\\`]/g, '\\$&')}\``
