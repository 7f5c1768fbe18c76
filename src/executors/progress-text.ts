import type { Progress } from '../model/job.ts'
import type { QueryProgress } from '../warehouse/warehouse.ts'

/** Formats the progress of a query for people. The engine adjusts its estimate of the total while it reads, so cap at 100 %. */
export const toProgress = ({ rowsRead, totalRows }: Pick<QueryProgress, 'rowsRead' | 'totalRows'>): Progress => {
  if (totalRows === null || totalRows === 0) return { percentage: null, message: `${grouped(rowsRead)} rows` }
  const percentage = Math.floor(Math.min(1, rowsRead / totalRows) * 100)
  return { percentage, message: `${grouped(rowsRead)} of ${grouped(Math.max(rowsRead, totalRows))} rows` }
}

const grouped = (count: number): string => count.toLocaleString('en')
