import type { App } from '../app.ts'
import { createReferencePage } from '../reference-page.ts'

const hidden = { schema: { hide: true } }

/** The description of the API and the page that shows it. Both are public: they hold nothing but what this program is. */
export const referenceRoutes = (app: App): void => {
  app.get('/openapi.json', hidden, async (_request, reply) => {
    document ??= JSON.stringify(app.swagger())
    return reply.type('application/json; charset=utf-8').send(document)
  })
  let document: string | undefined

  const page = createReferencePage({ title: 'Millrace API' })
  app.get('/docs', hidden, async (_request, reply) => reply.redirect('/docs/', 302))
  app.get('/docs/', hidden, async (_request, reply) => {
    const { html, policy } = await page()
    return reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(html)
  })
  app.get('/docs/js/scalar.js', hidden, async (_request, reply) => {
    const { script } = await page()
    return reply.header('cache-control', 'public, max-age=86400').type('text/javascript; charset=utf-8').send(script)
  })
}
