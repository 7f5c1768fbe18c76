import { invalid, type MillraceError } from '../../../kernel/errors.ts'
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
    const error = inOwnNames(refusalOf(thrown, request, logger))
    const status = error.status === 422 || UNCANCELLABLE.has(error.code) ? 400 : error.status
    return sendProblem(reply, error, { status, error: error.message, documentation: `${config.publicUrl}/docs` })
  })
  // That of the root would word them in its own way.
  app.setNotFoundHandler(refuseUnrouted)
}

const UNCANCELLABLE: ReadonlySet<string> = new Set(['job_ended', 'job_cancelling'])

/** What the parameters of this API are called in the body of the job that they become. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  'import.datasource': 'name',
  'import.delimiter': 'dialect_delimiter',
  'populate.subset': 'populate_subset',
  'populate.condition': 'populate_condition',
  'delete.condition': 'delete_condition',
  'copy.mode': '_mode',
}

const OF_JOBS = /^(import|populate|delete|copy(\.parameters)?)\./

/** Who calls here has not seen the job. */
const inOwnNames = (error: MillraceError): MillraceError =>
  error.code === 'invalid' && error.errors.some(({ path }) => OF_JOBS.test(path))
    ? invalid(
        error.errors.map(({ path, message }) => ({ path: OWN_NAMES[path] ?? path.replace(OF_JOBS, ''), message })),
      )
    : error
