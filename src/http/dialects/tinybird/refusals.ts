import { invalid, type MillraceError } from '../../../kernel/errors.ts'
import type { App } from '../../app.ts'
import { type RefuseUnrouted, refusalOf, sendProblem } from '../../error-handler.ts'
import type { Services } from '../../services.ts'

type Uses = Pick<Services, 'logger' | 'config'> & { readonly refuseUnrouted: RefuseUnrouted }

/**
 * Refusals in the form that Tinybird's clients read: `error` and `documentation` are added to this server's usual problem document. The status is 400 for wrong
 * values, and for jobs that cannot be cancelled.
 */
export const refuseInItsWords = (app: App, { logger, config, refuseUnrouted }: Uses): void => {
  app.setErrorHandler((thrown: unknown, request, reply) => {
    const error = inOwnNames(refusalOf(thrown, request, logger))
    const status = error.status === 422 || UNCANCELLABLE.has(error.code) ? 400 : error.status
    return sendProblem(reply, error, { status, error: error.message, documentation: `${config.publicUrl}/docs` })
  })
  // The root's handler would use the root's format.
  app.setNotFoundHandler(refuseUnrouted)
}

const UNCANCELLABLE: ReadonlySet<string> = new Set(['job_ended', 'job_cancelling'])

/** The names in this API for fields of the resulting job body. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  'import.datasource': 'name',
  'import.delimiter': 'dialect_delimiter',
  'populate.subset': 'populate_subset',
  'populate.condition': 'populate_condition',
  'delete.condition': 'delete_condition',
  'copy.mode': '_mode',
}

const OF_JOBS = /^(import|populate|delete|copy(\.parameters)?)\./

/** The caller does not know the job body. */
const inOwnNames = (error: MillraceError): MillraceError =>
  error.code === 'invalid' && error.errors.some(({ path }) => OF_JOBS.test(path))
    ? invalid(
        error.errors.map(({ path, message }) => ({ path: OWN_NAMES[path] ?? path.replace(OF_JOBS, ''), message })),
      )
    : error
