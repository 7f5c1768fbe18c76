import { WarehouseError } from '../warehouse.ts'

/** What the guard throws: the SQL is at fault, and the sentence says why. */
export const refusal = (message: string): WarehouseError => new WarehouseError('sql_error', message)
