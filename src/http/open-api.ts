import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { FastifySchema } from 'fastify'
import { PROBLEM_TYPE } from './problem.ts'
import { Problem } from './schemas/problem.ts'
import type { Services } from './services.ts'

/** How the OpenAPI 3.1 document is made from the routes. */
export const openApiOptions = ({ config, version }: Services): FastifyDynamicSwaggerOptions => ({
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version,
      description: 'A self-hosted server that runs jobs next to your data.',
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
    const described = withProblem(schema ?? {})
    if (access?.scope === 'public') described.security = []
    else if (access)
      described.description = [described.description, scopeText(access.scope)].filter(Boolean).join('\n\n')
    return { schema: described, url }
  },
})

const TAGS = [
  { name: 'Jobs', description: 'Submit, list, watch, cancel, rerun.' },
  { name: 'Data', description: 'SQL over the tables of a workspace.' },
  { name: 'Data sources', description: 'The tables of a workspace.' },
  { name: 'Pipes', description: 'SQL in named nodes over data sources: read, kept up to date, or copied.' },
  { name: 'Tinybird', description: 'The same jobs and data in the API of Tinybird; also below /tinybird.' },
  { name: 'Workflows', description: 'Templates of runs: what, how, when, and where results go.' },
  { name: 'Runs', description: 'Firings of workflows.' },
  { name: 'Deliveries', description: 'Ways of finished jobs to their sinks.' },
  { name: 'Notifications', description: 'What someone should look at.' },
  { name: 'Logs', description: 'Pages, downloads and live streams.' },
  { name: 'Artifacts', description: 'Files that jobs leave behind.' },
  { name: 'Events', description: 'Changes of status as they happen.' },
  { name: 'Access', description: 'Tokens and workspaces.' },
  { name: 'Operations', description: 'Health, metrics, workers.' },
]

type Described = { -readonly [Key in keyof FastifySchema]: FastifySchema[Key] }

const scopeText = (scope: string): string =>
  scope === 'run' ? 'Needs the scope `jobs:run:<kind>`.' : `Needs the scope \`${scope}\`.`

/** Every refusal has one shape; it is sent as text, so no route has to carry its schema. */
const withProblem = (schema: Described): Described => ({
  ...schema,
  response: {
    ...(schema.response as Record<string, unknown> | undefined),
    '4XX': {
      description: 'Refused',
      content: { [PROBLEM_TYPE.slice(0, PROBLEM_TYPE.indexOf(';'))]: { schema: Problem } },
    },
  },
})
