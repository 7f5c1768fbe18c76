import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { FastifyContextConfig, FastifySchema } from 'fastify'
import { PROBLEM_TYPE } from '../problem.ts'
import { Problem } from '../schemas/problem.ts'
import type { Services } from '../services.ts'
import { BODY_EXAMPLES } from './body-examples.ts'

/** How the OpenAPI 3.1 document is generated from the routes. */
export const openApiOptions = ({ config, version }: Services): FastifyDynamicSwaggerOptions => ({
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version,
      description: INTRODUCTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: config.publicUrl }],
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        key: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
    },
    security: [{ bearer: [] }, { key: [] }],
    tags: TAGS,
  },
  transform: ({ schema, url, route }) => {
    const access = route.config?.access
    const content = withContent(schema ?? {}, route.config ?? {})
    const described = withExamples(withProblem(content), `${route.method} ${url}`)
    if (access?.scope === 'public') described.security = []
    else if (access)
      described.description = [described.description, scopeText(access.scope)].filter(Boolean).join('\n\n')
    return { schema: described, url }
  },
})

const INTRODUCTION = `A self-hosted job server.

Every call except the health checks needs a token, as \`Authorization: Bearer mr_…\`. The first token is in the data directory of the server
(\`data/admin-token\`); \`millrace tokens create\` and \`POST /v1/tokens\` create more. Paste a token into *Bearer Token* on this page, and
*Test Request* sends calls to this server. For a first job, send \`{"command": "echo hi"}\` to [POST /v1/jobs](#tag/jobs/POST/v1/jobs).

Lists are paged: send the \`next_cursor\` of a response as \`cursor\`. Times are RFC 3339, in UTC. Errors are
[problem details](https://www.rfc-editor.org/rfc/rfc9457); \`code\` and \`hint\` say what to do.`

const TAGS = [
  { name: 'Jobs', description: 'Submit, list, watch, cancel, rerun.' },
  { name: 'Data', description: 'SQL over the tables of a workspace.' },
  { name: 'Data sources', description: 'The tables of a workspace.' },
  { name: 'Pipes', description: 'Named SQL nodes over data sources: queried, materialized or copied.' },
  { name: 'Tinybird', description: 'A Tinybird-compatible API for the same jobs and data; also below /tinybird.' },
  { name: 'Workflows', description: 'Templates of runs: what to run, how and when, and whom to notify.' },
  { name: 'Runs', description: 'Firings of workflows.' },
  { name: 'Deliveries', description: 'Notifications about ended jobs to their sinks.' },
  { name: 'Notifications', description: 'Events that need attention.' },
  { name: 'Logs', description: 'Pages, downloads and live streams.' },
  { name: 'Artifacts', description: 'Files that jobs produce.' },
  { name: 'Events', description: 'A live stream of status changes.' },
  { name: 'Access', description: 'Tokens and workspaces.' },
  { name: 'Operations', description: 'Health, metrics, workers.' },
]

type Described = { -readonly [Key in keyof FastifySchema]: FastifySchema[Key] }

const scopeText = (scope: string): string =>
  scope === 'run' ? 'Needs the scope `jobs:run:<kind>`.' : `Needs the scope \`${scope}\`.`

/** Adds the example bodies: one of each kind. */
const withExamples = (schema: Described, route: string): Described => {
  const examples = BODY_EXAMPLES[route]
  if (examples === undefined) return schema
  const named = Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]))
  const { content, ...body } = schema.body as { readonly content?: Readonly<Record<string, { schema: object }>> }
  if (content === undefined) return { ...schema, body: { ...body, 'x-examples': named } }
  const shown = ([type, media]: [string, { schema: object }]) => [
    type,
    { schema: { ...media.schema, 'x-examples': named } },
  ]
  return { ...schema, body: { content: Object.fromEntries(Object.entries(content).map(shown)) } }
}

/** Every refusal has the same form. It is sent as text, so no route needs its schema. */
const withProblem = (schema: Described): Described => {
  const problem = {
    description: 'Error',
    content: { [PROBLEM_TYPE.slice(0, PROBLEM_TYPE.indexOf(';'))]: { schema: Problem } },
  }
  return { ...schema, response: { ...responsesOf(schema), '4XX': problem, '5XX': problem } }
}

type Responses = Readonly<Record<string, unknown>>

const responsesOf = ({ response }: Described): Responses => (response ?? {}) as Responses

const BYTES = { type: 'string', format: 'binary' }

/** Adds uploads and streams, which are not parsed or serialized by a schema. A dialect's responses are described by its own documentation. */
const withContent = (schema: Described, { body, contentTypes }: FastifyContextConfig): Described => {
  const responses = responsesOf(schema)
  const isDescribed = Object.keys(responses).some(status => status.startsWith('2'))
  const described = contentTypes
    ? { 200: contentOf(contentTypes, responses[200]) }
    : isDescribed
      ? {}
      : { '2XX': { description: 'Success' } }
  return {
    ...schema,
    ...(body && { body: { content: uploads(schema, body) } }),
    response: { ...responses, ...described },
  }
}

const contentOf = (types: readonly string[], json: unknown) => ({
  description: 'The content',
  content: {
    ...(json !== undefined && { 'application/json': { schema: json } }),
    ...Object.fromEntries(types.map(type => [type, { schema: BYTES }])),
  },
})

const uploads = ({ body, consumes = [] }: Described, kind: 'multipart' | 'content'): Responses => {
  const file = kind === 'multipart' ? { type: 'array', items: BYTES } : BYTES
  const form = { type: 'object', properties: { file }, required: ['file'] }
  const bytes = consumes
    .filter(type => type !== 'application/json')
    .map(type => [type, { schema: type === 'multipart/form-data' ? form : BYTES }])
  return { ...(body as { content: Responses } | undefined)?.content, ...Object.fromEntries(bytes) }
}
