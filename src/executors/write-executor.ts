import type { Data } from '../data/data.ts'
import type { Kind } from '../model/kind.ts'
import { WarehouseError } from '../warehouse/warehouse.ts'
import { warehouseHealth, whereTablesAre } from './data-health.ts'
import type { Executor } from './executor.ts'
import { toFailure } from './to-failure.ts'

type Options = {
  readonly kind: Kind
  readonly data: Data
  readonly run: Executor['run']
}

/** An executor for jobs that write to data sources. `run` may throw `WarehouseError`. */
export const createWriteExecutor = ({ kind, data, run }: Options): Executor => ({
  kind,
  lane: 'default',
  health: () => warehouseHealth(data),
  ...whereTablesAre(data),
  run: async (job, context) => {
    try {
      return await run(job, context)
    } catch (error) {
      if (context.stop.cause !== null) return { type: 'stopped' }
      if (error instanceof WarehouseError) return toFailure(error)
      throw error
    }
  },
})
