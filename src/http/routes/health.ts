import Type from 'typebox'
import type { PartHealth } from '../../engine/engine.ts'
import type { App } from '../app.ts'
import type { Metrics } from '../figures/metrics.ts'
import { Health, Readiness } from '../schemas/system.ts'
import type { Services } from '../services.ts'

/** Without these, no job can be accepted. Any other part affects only one kind of job. */
const NEEDED: readonly string[] = ['store', 'blobs', 'secrets', 'server']

const STOPPING: PartHealth = {
  part: 'server',
  problems: [{ severity: 'unavailable', message: 'The server is stopping and accepts nothing new.' }],
}

/** For load balancers and monitoring. */
export const healthRoutes = (
  app: App,
  { engine, metrics, stopping }: Services & { readonly metrics: Metrics },
): void => {
  app.get(
    '/healthz',
    { schema: { tags: ['Operations'], summary: 'Check that the process is alive', response: { 200: Health } } },
    async () => ({ status: 'ok' }),
  )

  app.get(
    '/readyz',
    {
      schema: {
        tags: ['Operations'],
        summary: 'Check that jobs can be accepted',
        description: '503 if not. Reports the state of each component.',
        response: { 200: Readiness, 503: Readiness },
      },
    },
    async (_request, reply) => {
      const parts = [...(await engine.health()), ...(stopping?.aborted ? [STOPPING] : [])].map(viewPart)
      const broken = parts.filter(part => part.status === 'unavailable')
      const executors = parts.filter(part => !NEEDED.includes(part.part))
      const nothingRuns = executors.length > 0 && executors.every(part => part.status === 'unavailable')
      const ready = !nothingRuns && !broken.some(part => NEEDED.includes(part.part))
      if (!ready) reply.code(503).header('retry-after', '5')
      return { status: ready ? ('ready' as const) : ('unavailable' as const), parts }
    },
  )

  app.get(
    '/metrics',
    {
      schema: {
        tags: ['Operations'],
        summary: 'Metrics for Prometheus',
        produces: ['text/plain'],
        response: { 200: Type.String() },
      },
    },
    async (_request, reply) => {
      reply.type(metrics.registry.contentType)
      return metrics.registry.metrics()
    },
  )
}

const viewPart = ({ part, problems }: PartHealth) => ({
  part,
  status: problems.some(problem => problem.severity === 'unavailable')
    ? ('unavailable' as const)
    : problems.length > 0
      ? ('warning' as const)
      : ('ok' as const),
  problems: problems.map(({ severity, message }) => ({ severity, message })),
})
