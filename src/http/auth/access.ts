import type { Scope } from '../../model/scopes.ts'
import { TINYBIRD_ACCESS } from '../dialects/tinybird/access.ts'

/** Who may call a route. */
export type Access = {
  /** The scope a token needs; `run` is any `jobs:run:<kind>` (the engine checks which), `public` is nobody's. */
  readonly scope: Scope | 'run' | 'public'
  /**
   * What a job's own token may do here. `submit`: children within its submitter's scopes. `family`: about itself and its
   * children. `self`: about itself. Absent: nothing.
   */
  readonly job?: 'submit' | 'family' | 'self'
}

/**
 * Every route and the right it needs, in one table. A route that is not here, or a line without its route, fails at
 * start. HEAD is as GET.
 */
export const ACCESS: Readonly<Record<string, Access>> = {
  'POST /v1/jobs': { scope: 'run', job: 'submit' },
  'POST /v1/jobs/batch': { scope: 'run', job: 'submit' },
  'GET /v1/jobs': { scope: 'jobs:read', job: 'family' },
  'POST /v1/jobs/cancel': { scope: 'jobs:write' },
  'GET /v1/jobs/:job_id': { scope: 'jobs:read', job: 'family' },
  'DELETE /v1/jobs/:job_id': { scope: 'jobs:write' },
  'POST /v1/jobs/:job_id/cancel': { scope: 'jobs:write' },
  'POST /v1/jobs/:job_id/rerun': { scope: 'run' },
  'POST /v1/jobs/:job_id/purge': { scope: 'jobs:write' },
  'GET /v1/jobs/:job_id/attempts': { scope: 'jobs:read', job: 'family' },
  'POST /v1/jobs/:job_id/progress': { scope: 'jobs:write', job: 'self' },
  'POST /v1/jobs/:job_id/extend': { scope: 'jobs:write', job: 'self' },
  'GET /v1/jobs/:job_id/result': { scope: 'jobs:read', job: 'family' },
  'GET /v1/jobs/:job_id/logs': { scope: 'jobs:read', job: 'family' },
  'POST /v1/jobs/:job_id/artifacts': { scope: 'artifacts:write', job: 'self' },
  'GET /v1/jobs/:job_id/artifacts': { scope: 'jobs:read', job: 'self' },
  'GET /v1/jobs/:job_id/artifacts/:artifact_id': { scope: 'jobs:read', job: 'self' },
  'POST /v1/workflows': { scope: 'workflows:write' },
  'POST /v1/workflows/check': { scope: 'workflows:write' },
  'GET /v1/workflows': { scope: 'workflows:read' },
  'GET /v1/workflows/:workflow': { scope: 'workflows:read' },
  'PUT /v1/workflows/:workflow': { scope: 'workflows:write' },
  'DELETE /v1/workflows/:workflow': { scope: 'workflows:write' },
  'POST /v1/workflows/:workflow/pause': { scope: 'workflows:write' },
  'POST /v1/workflows/:workflow/resume': { scope: 'workflows:write' },
  'POST /v1/workflows/:workflow/terminate': { scope: 'workflows:write' },
  'POST /v1/workflows/:workflow/trigger': { scope: 'workflows:write' },
  'GET /v1/workflows/:workflow/runs': { scope: 'workflows:read' },
  'GET /v1/workflows/:workflow/jobs': { scope: 'jobs:read' },
  'GET /v1/workflows/:workflow/upcoming': { scope: 'workflows:read' },
  'GET /v1/workflows/:workflow/slots': { scope: 'workflows:read' },
  'POST /v1/schedules/preview': { scope: 'workflows:read' },
  'GET /v1/runs': { scope: 'workflows:read' },
  'GET /v1/runs/:run_id': { scope: 'workflows:read' },
  'GET /v1/runs/:run_id/jobs': { scope: 'jobs:read' },
  'POST /v1/runs/:run_id/pause': { scope: 'workflows:write' },
  'POST /v1/runs/:run_id/resume': { scope: 'workflows:write' },
  'POST /v1/runs/:run_id/terminate': { scope: 'workflows:write' },
  'POST /v1/runs/:run_id/retry_failed': { scope: 'workflows:write' },
  'GET /v1/notifications': { scope: 'workflows:read' },
  'POST /v1/notifications/read': { scope: 'workflows:write' },
  'GET /v1/notifications/preference': { scope: 'workflows:read' },
  'PUT /v1/notifications/preference': { scope: 'workflows:write' },
  'GET /v1/deliveries': { scope: 'workflows:read' },
  'GET /v1/deliveries/:delivery_id': { scope: 'workflows:read' },
  'POST /v1/deliveries/:delivery_id/redeliver': { scope: 'workflows:write' },
  'POST /v1/sql': { scope: 'jobs:run:query' },
  'POST /v1/datasources': { scope: 'datasources:write' },
  'POST /v1/datasources/infer': { scope: 'jobs:run:import' },
  'GET /v1/datasources': { scope: 'datasources:read' },
  'GET /v1/datasources/:datasource': { scope: 'datasources:read' },
  'PUT /v1/datasources/:datasource': { scope: 'datasources:write' },
  'DELETE /v1/datasources/:datasource': { scope: 'datasources:write' },
  'POST /v1/datasources/:datasource/import': { scope: 'jobs:run:import' },
  'POST /v1/datasources/:datasource/truncate': { scope: 'datasources:write' },
  'GET /v1/datasources/:datasource/quarantine': { scope: 'datasources:read' },
  'POST /v1/pipes': { scope: 'pipes:write' },
  'GET /v1/pipes': { scope: 'pipes:read' },
  'GET /v1/pipes/:pipe': { scope: 'pipes:read' },
  'PUT /v1/pipes/:pipe': { scope: 'pipes:write' },
  'DELETE /v1/pipes/:pipe': { scope: 'pipes:write' },
  'GET /v1/analytics': { scope: 'jobs:read' },
  'GET /v1/events': { scope: 'jobs:read' },
  'GET /v1/workers': { scope: 'system:read' },
  'POST /v1/tokens': { scope: 'tokens:write' },
  'GET /v1/tokens': { scope: 'tokens:read' },
  'DELETE /v1/tokens/:token_id': { scope: 'tokens:write' },
  'POST /v1/workspaces': { scope: 'workspaces:write' },
  'GET /v1/workspaces': { scope: 'workspaces:read' },
  ...TINYBIRD_ACCESS,
  'GET /healthz': { scope: 'public' },
  'GET /readyz': { scope: 'public' },
  'GET /metrics': { scope: 'system:read' },
  'GET /openapi.json': { scope: 'public' },
  'GET /schemas/workflow.json': { scope: 'public' },
  'GET /': { scope: 'public' },
  'GET /docs': { scope: 'public' },
  'GET /docs/': { scope: 'public' },
  'GET /docs/js/scalar.js': { scope: 'public' },
}
