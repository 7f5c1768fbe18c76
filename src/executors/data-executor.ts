import type { Data } from '../data/data.ts'
import { WarehouseError } from '../warehouse/warehouse.ts'
import { warehouseHealth, whereTablesAre } from './data-health.ts'
import type { Executor } from './executor.ts'
import { toFailure } from './to-failure.ts'

type Options = Pick<Executor, 'kind' | 'run'> &
  Partial<Pick<Executor, 'start' | 'health'>> & {
    readonly data: Data
  }

/** An executor for jobs that use tables. `run` may throw `WarehouseError`, and anything once it is told to stop. */
export const createDataExecutor = ({ data, run, ...own }: Options): Executor => ({
  lane: 'default',
  health: () => warehouseHealth(data),
  ...whereTablesAre(data),
  ...own,
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
