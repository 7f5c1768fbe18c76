import type { App } from '../../app.ts'
import { type RefuseUnrouted, refusalOf, sendProblem } from '../../error-handler.ts'
import type { Services } from '../../services.ts'

type Uses = Pick<Services, 'logger' | 'config'> & { readonly refuseUnrouted: RefuseUnrouted }

/**
 * Refusals as clients of Tinybird read them: `error` and `documentation`, as members of the document that every refusal of this server is. A wrong value is
 * 400, and so is a job that cannot be cancelled.
 */
export const refuseInItsWords = (app: App, { logger, config, refuseUnrouted }: Uses): void => {
  app.setErrorHandler((thrown: unknown, request, reply) => {
    const error = refusalOf(thrown, request, logger)
    const status = error.status === 422 || error.code === 'job_ended' ? 400 : error.status
    return sendProblem(reply, error, { status, error: error.message, documentation: `${config.publicUrl}/docs` })
  })
  // That of the root would word them in its own way.
  app.setNotFoundHandler(refuseUnrouted)
}
