import { isSqlError, WarehouseError } from '../warehouse/warehouse.ts'

/** Converts an error of a statement that contains a user's condition: a fault is reported without the statement, which is the server's. Throw the result. */
export const conditionFault = (error: unknown): unknown => {
  if (!isSqlError(error)) return error
  const message = error.message.replace(/ in scope SELECT [\s\S]*?(?=\. Maybe you meant|\.?$)/, '')
  return new WarehouseError(error.reason, message, { cause: error })
}
