import { isSqlError, WarehouseError } from '../warehouse/warehouse.ts'

/** To be thrown for what a statement with a user's condition in it threw: a fault is told without the statement, which is the server's. */
export const conditionFault = (error: unknown): unknown => {
  if (!isSqlError(error)) return error
  const message = error.message.replace(/ in scope SELECT [\s\S]*?(?=\. Maybe you meant|\.?$)/, '')
  return new WarehouseError(error.reason, message, { cause: error })
}
