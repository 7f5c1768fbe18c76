import type { Data } from '../data/data.ts'
import type { Executor, ExecutorProblem } from './executor.ts'

/** Reports whether a data engine is available, for the jobs that need one. */
export const warehouseHealth = async ({ warehouse }: Pick<Data, 'warehouse'>): Promise<readonly ExecutorProblem[]> => {
  const problem = await warehouse.problem()
  return problem === null ? [] : [{ severity: 'unavailable', message: problem }]
}

/** Warnings for the operator although everything works. */
export const warehouseWarnings = ({ warehouse }: Pick<Data, 'warehouse'>): readonly ExecutorProblem[] => {
  const message = warehouse.warning()
  return message === null ? [] : [{ severity: 'warning', message }]
}

/** For executors whose jobs need tables: if one of several servers owns the tables, only that one runs such jobs. */
export const whereTablesAre = ({ home }: Pick<Data, 'home'>): Pick<Executor, 'isElsewhere' | 'enter'> =>
  home === null ? {} : { isElsewhere: () => home.isElsewhere(), enter: () => home.tryToEnter() }
