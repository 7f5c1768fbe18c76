/** Of a user's text: what the engine parses by itself (`max_query_size`). */
export const LONGEST_SQL_BYTES = 256 * 1024
