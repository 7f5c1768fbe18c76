import type { App } from '../app.ts'
import { createReferencePage } from '../reference/reference-page.ts'
import { WorkflowBody } from '../schemas/workflow-body.ts'
import type { Services } from '../services.ts'

const hidden = { schema: { hide: true } }

/** A file may refer to its schema in `$schema`, which `workflows apply` does not send. */
const workflowFile = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  ...WorkflowBody,
  properties: {
    $schema: { type: 'string', description: 'Where editors find this schema; a YAML file may say it in a comment.' },
    ...WorkflowBody.properties,
  },
}

/** The API description, its page, and the schema of workflow files. All are public: they describe only the program. */
export const referenceRoutes = (app: App, { config }: Pick<Services, 'config'>): void => {
  app.get('/openapi.json', hidden, async (_request, reply) => {
    document ??= JSON.stringify(app.swagger())
    return reply.type('application/json; charset=utf-8').send(document)
  })
  let document: string | undefined

  app.get('/schemas/workflow.json', hidden, async (_request, reply) => {
    workflow ??= JSON.stringify(workflowFile)
    return reply.type('application/schema+json; charset=utf-8').send(workflow)
  })
  let workflow: string | undefined

  const page = createReferencePage({ title: 'Millrace API', publicUrl: config.publicUrl })
  // Relative, because a proxy may have added a path prefix.
  app.get('/', hidden, async (_request, reply) => reply.redirect('docs/', 302))
  app.get('/docs', hidden, async (_request, reply) => reply.redirect('docs/', 302))
  app.get('/docs/', hidden, async (_request, reply) => {
    const { html, policy } = await page()
    return reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(html)
  })
  app.get('/docs/js/scalar.js', hidden, async (_request, reply) => {
    const { script } = await page()
    return reply.header('cache-control', 'public, max-age=86400').type('text/javascript; charset=utf-8').send(script)
  })
}
