import type { Data } from '../data/data.ts'
import type { Executor, ExecutorProblem } from './executor.ts'

/** Whether there is a data engine, for jobs that need one. */
export const warehouseHealth = async ({ warehouse }: Pick<Data, 'warehouse'>): Promise<readonly ExecutorProblem[]> => {
  const problem = await warehouse.problem()
  return problem === null ? [] : [{ severity: 'unavailable', message: problem }]
}

/** What an operator should know though all works. */
export const warehouseWarnings = ({ warehouse }: Pick<Data, 'warehouse'>): readonly ExecutorProblem[] => {
  const message = warehouse.warning()
  return message === null ? [] : [{ severity: 'warning', message }]
}

/** Of executors whose jobs need tables: where one of several servers has them, that one carries them out. */
export const whereTablesAre = ({ home }: Pick<Data, 'home'>): Pick<Executor, 'isElsewhere' | 'enter'> =>
  home === null ? {} : { isElsewhere: () => home.isElsewhere(), enter: () => home.tryToEnter() }
