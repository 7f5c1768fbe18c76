/** Every kind of job. A server runs those for which it has an executor. */
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

/** The key of a job body that determines its kind. */
export const KIND_OF_KEY = {
  image: 'container',
  command: 'command',
  http: 'http',
  api: 'api',
  query: 'query',
  graph: 'graph',
  import: 'import',
  populate: 'populate',
  copy: 'copy',
  delete: 'delete',
} as const satisfies Record<string, Kind>

/** The kind of a job body; null unless it has exactly one such key (`image` may be combined with `command`). */
export const kindOfBody = (body: object): Kind | null => {
  const keys = Object.keys(KIND_OF_KEY).filter(key => Object.hasOwn(body, key)) as (keyof typeof KIND_OF_KEY)[]
  const said = keys.includes('image') ? keys.filter(key => key !== 'command') : keys
  return said.length === 1 ? KIND_OF_KEY[said[0]!] : null
}
