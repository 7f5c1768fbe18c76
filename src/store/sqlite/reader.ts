import type { Database } from './database.ts'

/** Context of a read: the connection and the time of its call. */
export type Reader = { readonly db: Database; readonly now: number }
