import type { Access } from '../../auth/access.ts'

/** The API's base paths: at the root, as clients expect below their Tinybird URL, and below a path of its own. */
export const PREFIXES = ['/v0', '/tinybird/v0'] as const

/** Paths may end with a slash, as in the document. */
export const ENDS = ['', '/'] as const

const RIGHTS = {
  'GET /jobs': { scope: 'jobs:read' },
  'GET /jobs/:job_id': { scope: 'jobs:read' },
  'POST /jobs/:job_id/cancel': { scope: 'jobs:write' },
  'GET /datasources': { scope: 'datasources:read' },
  'POST /datasources': { scope: 'jobs:run:import' },
  'GET /datasources/:datasource': { scope: 'datasources:read' },
  'DELETE /datasources/:datasource': { scope: 'datasources:write' },
  'POST /datasources/:datasource/delete': { scope: 'jobs:run:delete' },
  'POST /datasources/:datasource/truncate': { scope: 'datasources:write' },
  'GET /pipes': { scope: 'pipes:read' },
  'GET /pipes/:pipe': { scope: 'pipes:read' },
  'POST /pipes/:pipe/nodes/:node/population': { scope: 'jobs:run:populate' },
  'POST /pipes/:pipe/copy': { scope: 'jobs:run:copy' },
  'POST /pipes/:pipe/copy/pause': { scope: 'workflows:write' },
  'POST /pipes/:pipe/copy/resume': { scope: 'workflows:write' },
  'GET /sql': { scope: 'jobs:run:query' },
  'POST /sql': { scope: 'jobs:run:query' },
} as const satisfies Readonly<Record<string, Access>>

/** Entries for the table of all routes. */
export const TINYBIRD_ACCESS: Readonly<Record<string, Access>> = Object.fromEntries(
  Object.entries(RIGHTS).flatMap(([route, access]) => {
    const [method, path] = route.split(' ')
    return PREFIXES.flatMap(prefix => ENDS.map(end => [`${method} ${prefix}${path}${end}`, access]))
  }),
)
