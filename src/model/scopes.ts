import { KINDS, type Kind } from './kind.ts'

/** Every right, in one table. A route names the scope it needs (`src/http`); submitting a job needs `jobs:run:<kind>`. */
export const SCOPES = [
  'jobs:read',
  'jobs:write',
  ...KINDS.map(kind => `jobs:run:${kind}` as const),
  'artifacts:write',
  'workflows:read',
  'workflows:write',
  'datasources:read',
  'datasources:write',
  'pipes:read',
  'pipes:write',
  'tokens:read',
  'tokens:write',
  'workspaces:read',
  'workspaces:write',
  'system:read',
] as const

export type Scope = (typeof SCOPES)[number]

export const ROLES = ['admin', 'operator', 'analyst', 'reader'] as const
export type Role = (typeof ROLES)[number]

const DATA_KINDS: readonly Kind[] = ['query', 'graph', 'import', 'populate', 'copy', 'delete']
const reading: readonly Scope[] = ['jobs:read', 'workflows:read', 'datasources:read', 'pipes:read', 'system:read']
const allButInstance = SCOPES.filter(scope => !scope.startsWith('workspaces:'))

/** The scopes of each role (`api.md`, Operations). Only the instance admin has `workspaces:*`. */
export const ROLE_SCOPES: Readonly<Record<Role, readonly Scope[]>> = {
  admin: allButInstance,
  operator: allButInstance.filter(scope => !scope.startsWith('tokens:')),
  analyst: [
    ...reading,
    'jobs:write',
    'artifacts:write',
    'workflows:write',
    'datasources:write',
    'pipes:write',
    ...DATA_KINDS.map(kind => `jobs:run:${kind}` as const),
  ],
  reader: reading,
}

export const isScope = (text: string): text is Scope => (SCOPES as readonly string[]).includes(text)
