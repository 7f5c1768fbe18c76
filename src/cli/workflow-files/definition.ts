/** What the server adds to a definition where it shows a workflow. */
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

/** What a workflow was made from, out of what the server shows of it. */
export const definitionOf = (workflow: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(workflow).filter(([name, value]) => !ADDED.has(name) && value !== null))
