/** The longest text of a user: the engine's default `max_query_size`. */
export const LONGEST_SQL_BYTES = 256 * 1024
