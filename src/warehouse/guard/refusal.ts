import { WarehouseError } from '../warehouse.ts'

/** The error that the guard throws: the SQL is at fault, and the message says why. */
export const refusal = (message: string): WarehouseError => new WarehouseError('sql_error', message)
