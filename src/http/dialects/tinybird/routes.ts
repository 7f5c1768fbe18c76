import type { App } from '../../app.ts'
import type { RefuseUnrouted } from '../../error-handler.ts'
import type { Services } from '../../services.ts'
import type { SmallQueries } from '../../small-queries.ts'
import { PREFIXES } from './access.ts'
import { dataSourceRoutes } from './data-source-routes.ts'
import { readForms } from './form-body.ts'
import { importRoutes } from './import-routes.ts'
import { jobRoutes } from './job-routes.ts'
import { pipeRoutes } from './pipe-routes.ts'
import { refuseInItsWords } from './refusals.ts'
import { sqlRoutes } from './sql-routes.ts'

/** Tinybird's API (`docs/api/tinybird.md`): maps its requests to the same engine and data, and answers in its format. Has no state of its own. */
export const tinybirdRoutes = async (
  root: App,
  services: Services & { readonly refuseUnrouted: RefuseUnrouted },
  queries: SmallQueries,
): Promise<void> => {
  for (const prefix of PREFIXES)
    await root.register(
      async (scope: App) => {
        refuseInItsWords(scope, services)
        readForms(scope)
        jobRoutes(scope, services)
        dataSourceRoutes(scope, services)
        await importRoutes(scope, services)
        pipeRoutes(scope, services)
        sqlRoutes(scope, queries)
      },
      { prefix },
    )
}
