import { MillraceError } from '../../kernel/errors.ts'
import { isId } from '../../kernel/ids.ts'
import type { DeliveryStatus } from '../../model/workflow.ts'
import type { DeliveryFilters } from '../../store/sink-store.ts'
import type { App } from '../app.ts'
import { countWhen } from '../lists/count.ts'
import { DEFAULT_LIMIT } from '../schemas/basics.ts'
import { DeliveryPage, DeliveryPath, DeliveryQuery, DeliverySchema } from '../schemas/delivery.ts'
import type { Services } from '../services.ts'
import { viewDelivery, viewListedDelivery } from '../views/delivery-view.ts'

/** Deliveries of finished jobs to their sinks. */
export const deliveryRoutes = (app: App, { store }: Services): void => {
  const read = async (input: { workspace: string; deliveryId: string }) => {
    const delivery = await store.getDelivery(input)
    if (delivery === null) throw noSuchDelivery(input.deliveryId)
    return viewDelivery(delivery, await store.getJob({ workspace: input.workspace, jobId: delivery.jobId }))
  }

  app.get(
    '/v1/deliveries',
    {
      schema: {
        tags: ['Deliveries'],
        summary: 'List deliveries, newest first',
        querystring: DeliveryQuery,
        response: { 200: DeliveryPage },
      },
    },
    async request => {
      const { limit = DEFAULT_LIMIT, cursor = null, count = false, ...fields } = request.query
      const { workspace } = request.caller
      const filters = toFilters(fields)
      if (filters === null) return { deliveries: [], next_cursor: null, ...(count && { count: 0 }) }
      const page = await store.listDeliveries({ workspace, filters, limit, cursor })
      return {
        deliveries: page.deliveries.map(viewListedDelivery),
        next_cursor: page.nextCursor,
        ...(await countWhen(count, () => store.countDeliveries({ workspace, filters }))),
      }
    },
  )

  app.get(
    '/v1/deliveries/:delivery_id',
    {
      schema: {
        tags: ['Deliveries'],
        summary: 'One delivery',
        params: DeliveryPath,
        response: { 200: DeliverySchema },
      },
    },
    async request => read({ workspace: request.caller.workspace, deliveryId: request.params.delivery_id }),
  )

  app.post(
    '/v1/deliveries/:delivery_id/redeliver',
    {
      schema: {
        tags: ['Deliveries'],
        summary: 'Send a delivery again',
        description: 'With the same id, for up to another day.',
        params: DeliveryPath,
        response: { 200: DeliverySchema },
      },
    },
    async request => {
      const input = { workspace: request.caller.workspace, deliveryId: request.params.delivery_id }
      const outcome = await store.redeliver(input)
      if (outcome === 'not_found') throw noSuchDelivery(input.deliveryId)
      if (outcome === 'pending') throw new MillraceError('delivery_pending')
      return read(input)
    },
  )
}

type Fields = {
  readonly status?: readonly DeliveryStatus[]
  readonly job_id?: string
  readonly run_id?: string
  readonly workflow_id?: string
}

/** null if nothing can match, because an id is not well-formed. */
const toFilters = ({ status, job_id, run_id, workflow_id }: Fields): DeliveryFilters | null => {
  if ([job_id, run_id, workflow_id].some(id => id !== undefined && !isId(id))) return null
  return {
    ...(status && { status }),
    ...(job_id && { jobId: job_id }),
    ...(run_id && { runId: run_id }),
    ...(workflow_id && { workflowId: workflow_id }),
  }
}

const noSuchDelivery = (deliveryId: string): MillraceError =>
  new MillraceError('not_found', `There is no delivery ${deliveryId}.`)
