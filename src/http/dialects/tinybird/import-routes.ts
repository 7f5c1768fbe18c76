import multipart from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { invalidField } from '../../../kernel/errors.ts'
import type { App } from '../../app.ts'
import { isMultipart } from '../../bodies/receive-import.ts'
import { partLimits } from '../../bodies/upload.ts'
import type { Services } from '../../services.ts'
import { givenFields, readFields } from './fields.ts'
import { createFromText, createImport, IMPORT_FIELDS } from './import-rows.ts'
import { mount } from './mount.ts'
import { showDataSource } from './show-data-source.ts'

/** The route for importing rows. It has parsers of its own: a body that is neither JSON nor a form is content. */
export const importRoutes = async (root: App, services: Services): Promise<void> => {
  await root.register(async (scope: App) => {
    scope.removeContentTypeParser('*')
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null, CONTENT))
    // Two, so that a second part is refused by name.
    await scope.register(multipart, { limits: partLimits(2) })
    importRoute(scope, services)
  })
}

/** Marks a body that has not been read. */
const CONTENT = Symbol('content')

const importRoute = (app: App, services: Services): void => {
  const { fromUrl, ofContent } = createImport(services)

  mount(app, {
    method: 'POST',
    path: '/datasources',
    summary: 'Start an import job, or create a data source from a schema',
    description:
      'Rows come from `url`, from multipart/form-data with one part `csv`, `ndjson` or `parquet`, or from a body of another type. With a schema and without rows, only a data source is created.',
    fields: IMPORT_FIELDS,
    answer: async request => {
      if (isContent(request))
        return ofContent(request, readFields(givenFields({ query: request.query, body: null }), IMPORT_FIELDS))
      refuseRowsAsForm(request)
      const { url, ...fields } = readFields(givenFields(request), IMPORT_FIELDS)
      if (url !== undefined) return fromUrl(request, { ...fields, url })
      const { name, schema } = fields
      if (name === undefined || schema === undefined) throw invalidField('url', 'is required, or name and schema')
      const made = await createFromText(services, request, { name, schema })
      return { datasource: await showDataSource(services.data, request.caller.workspace, made) }
    },
  })
}

/** `curl --data-binary` declares its content as a form, whatever it is. */
const refuseRowsAsForm = ({ body }: FastifyRequest): void => {
  if (typeof body !== 'object' || body === null || !Object.keys(body).some(name => /[\n{]/.test(name))) return
  throw invalidField(
    '',
    'is sent as a form, and looks like rows: say what it is, as with -H "Content-Type: text/csv", or send a part csv',
  )
}

const isContent = ({ body, headers }: FastifyRequest): boolean => body === CONTENT || isMultipart(headers)
