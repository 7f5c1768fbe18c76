import { isSqlError, WarehouseError } from '../warehouse.ts'

/** Corrects the position in the error for a text that was parsed after `prefix` (one line of ASCII). Returns other errors unchanged. */
export const withoutPrefix = (error: unknown, prefix: string): unknown => {
  if (!isSqlError(error)) return error
  const before = (position: string): number => Math.max(1, Number(position) - prefix.length)
  const message = error.message
    .replace(/\bfailed at position (\d+)/, (_, position) => `failed at position ${before(position)}`)
    .replace(/\(line 1, col (\d+)\)/, (_, column) => `(line 1, col ${before(column)})`)
  return new WarehouseError(error.reason, message, { cause: error })
}
