import { isSqlError, WarehouseError } from '../warehouse.ts'

/** A fault of a text that was put behind `prefix` (one line of ASCII), with its position in the text as it was given. Other errors come back as they are. */
export const withoutPrefix = (error: unknown, prefix: string): unknown => {
  if (!isSqlError(error)) return error
  const before = (position: string): number => Math.max(1, Number(position) - prefix.length)
  const message = error.message
    .replace(/\bfailed at position (\d+)/, (_, position) => `failed at position ${before(position)}`)
    .replace(/\(line 1, col (\d+)\)/, (_, column) => `(line 1, col ${before(column)})`)
  return new WarehouseError(error.reason, message, { cause: error })
}
