/** Every kind of job of the design. A server runs those it has an executor for. */
export const KINDS = [
  'command',
  'container',
  'http',
  'api',
  'query',
  'graph',
  'import',
  'populate',
  'copy',
  'delete',
] as const

export type Kind = (typeof KINDS)[number]
