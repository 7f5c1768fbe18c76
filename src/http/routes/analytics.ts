import { toTimestamp } from '../../kernel/clock.ts'
import { isId } from '../../kernel/ids.ts'
import type { Store } from '../../store/store.ts'
import type { App } from '../app.ts'
import { addTo, newTotals, type Totals, viewTotals } from '../figures/analytics-figures.ts'
import { daysOf, type Period, pointOf, pointsOf, readPeriod } from '../figures/analytics-period.ts'
import { Analytics, AnalyticsQuery } from '../schemas/analytics.ts'
import type { Services } from '../services.ts'

/** Statistics of jobs and schedules over a period, including purged jobs. */
export const analyticsRoutes = (app: App, { store, clock }: Services): void => {
  app.get(
    '/v1/analytics',
    {
      schema: {
        tags: ['Operations'],
        summary: 'Statistics of jobs, durations and schedules over a period',
        description:
          'In total, per workflow and as a trend. Jobs count in the hour in which they ended, even if they have been purged. Durations are accurate to 5 %.',
        querystring: AnalyticsQuery,
        response: { 200: Analytics },
      },
    },
    async request => {
      const { workflow_id: workflowId, limit = 50, ...asked } = request.query
      const period = readPeriod(asked, clock.now())
      const { workspace } = request.caller
      const sums = await sumUp(store, { workspace, period, workflowId })
      const most = [...sums.byWorkflow].toSorted(([, a], [, b]) => jobsOf(b) - jobsOf(a)).slice(0, limit)
      const names = await Promise.all(most.map(([id]) => nameOf(store, workspace, id)))
      return {
        from: toTimestamp(period.from),
        to: toTimestamp(period.to),
        total: viewTotals(sums.total),
        workflows: most.map(([id, totals], index) => ({
          workflow_id: id,
          name: names[index] ?? null,
          ...viewTotals(totals),
        })),
        trend: {
          unit: period.unit,
          points: pointsOf(period).map(start => ({
            start: toTimestamp(start),
            ...viewTotals(sums.byPoint.get(start) ?? newTotals()),
          })),
        },
      }
    },
  )
}

type Sums = {
  readonly total: Totals
  readonly byWorkflow: ReadonlyMap<string | null, Totals>
  readonly byPoint: ReadonlyMap<number, Totals>
}

type Wanted = { readonly workspace: string; readonly period: Period; readonly workflowId: string | undefined }

/** Reads a period day by day, and sums up its hours in three ways. */
const sumUp = async (store: Store, { workspace, period, workflowId }: Wanted): Promise<Sums> => {
  const total = newTotals()
  const byWorkflow = new Map<string | null, Totals>()
  const byPoint = new Map<number, Totals>()
  // An id that is not well-formed matches nothing.
  const days = workflowId === undefined || isId(workflowId) ? daysOf(period) : []
  for (const day of days) {
    const hours = await store.readAnalytics({ workspace, ...day, ...(workflowId !== undefined && { workflowId }) })
    for (const sums of hours) {
      addTo(total, sums)
      addTo(entryOf(byWorkflow, sums.workflowId), sums)
      addTo(entryOf(byPoint, pointOf(sums.hour, period)), sums)
    }
  }
  return { total, byWorkflow, byPoint }
}

const entryOf = <Key>(map: Map<Key, Totals>, key: Key): Totals => {
  const known = map.get(key)
  if (known) return known
  const made = newTotals()
  map.set(key, made)
  return made
}

const jobsOf = ({ completed, failed, cancelled }: Totals): number => completed + failed + cancelled

/** null: no workflow, or a deleted one. */
const nameOf = async (store: Store, workspace: string, workflowId: string | null): Promise<string | null> =>
  workflowId === null ? null : ((await store.getWorkflow({ workspace, workflow: workflowId }))?.name ?? null)
