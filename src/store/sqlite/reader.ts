import type { Database } from './database.ts'

/** What a read works with: the connection and the time of its call. */
export type Reader = { readonly db: Database; readonly now: number }
