/** Fields that the server adds to a definition when it shows a workflow. */
export const ADDED: ReadonlySet<string> = new Set([
  'workflow_id',
  'state',
  'version',
  'consecutive_failures',
  'items',
  'next_run_at',
  'last_run_at',
  'created_at',
  'updated_at',
])

/** Extracts the definition from the server's view of a workflow. */
export const definitionOf = (workflow: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(workflow).filter(([name, value]) => !ADDED.has(name) && value !== null))
