import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { dataSourceFigures } from '../../../data/data-source-figures.ts'
import { dropDataSource, getDataSource, truncateDataSource } from '../../../data/data-sources.ts'
import type { DataSource } from '../../../model/data-source.ts'
import type { App } from '../../app.ts'
import { invalid } from '../../problem.ts'
import type { Services } from '../../services.ts'
import { viewListedDataSource, viewWholeDataSource } from './data-source-view.ts'
import { createDelete } from './delete-rows.ts'
import { flagField, givenFields, readFields, textField } from './fields.ts'
import { createFromText, createImport, IMPORT_FIELDS } from './import-rows.ts'
import { mount, namesIn } from './mount.ts'

const dataSourcePath = { datasource: Type.String({ description: 'Name or id.' }) }

/** Data sources: read, emptied, dropped; and the jobs that delete rows. */
export const dataSourceRoutes = (app: App, services: Services): void => {
  importRoutes(app, services)
  readRoutes(app, services)
  changeRoutes(app, services)
}

const dataSourceIn = (data: Services['data'], request: FastifyRequest): Promise<DataSource> =>
  getDataSource(data, request.caller.workspace, namesIn<'datasource'>(request).datasource)

const importRoutes = (app: App, services: Services): void => {
  const startImport = createImport(services)

  mount(app, {
    method: 'POST',
    path: '/datasources',
    summary: 'Start a job that imports from a URL, or make a data source of a schema',
    fields: IMPORT_FIELDS,
    answer: async request => {
      const { url, ...fields } = readFields(givenFields(request), IMPORT_FIELDS)
      if (url !== undefined) return startImport(request, { ...fields, url })
      const { name, schema } = fields
      if (name === undefined || schema === undefined)
        throw invalid([{ path: 'url', message: 'is required, or name and schema' }])
      const { workspace } = request.caller
      return {
        datasource: await show(services.data, workspace, await createFromText(services, request, { name, schema })),
      }
    },
  })
}

const readRoutes = (app: App, { data }: Services): void => {
  mount(app, {
    method: 'GET',
    path: '/datasources',
    summary: 'All data sources',
    answer: async ({ caller: { workspace } }) => {
      const catalogue = await data.catalogue(workspace)
      const figures = await dataSourceFigures(data, workspace, catalogue.dataSources)
      return {
        datasources: catalogue.dataSources.map(one => viewListedDataSource(catalogue, one, figures?.get(one.name))),
      }
    },
  })

  mount(app, {
    method: 'GET',
    path: '/datasources/:datasource',
    summary: 'One data source',
    params: dataSourcePath,
    answer: async request => show(data, request.caller.workspace, await dataSourceIn(data, request)),
  })
}

const show = async (data: Services['data'], workspace: string, dataSource: DataSource) => {
  const figures = await dataSourceFigures(data, workspace, [dataSource])
  return viewWholeDataSource(await data.catalogue(workspace), dataSource, figures?.get(dataSource.name))
}

const DELETE_FIELDS = {
  delete_condition: textField('Rows for which this expression holds go.'),
  dry_run: flagField('true: rows are counted, and stay.'),
} as const

const changeRoutes = (app: App, services: Services): void => {
  const { data } = services
  const startDelete = createDelete(services)

  mount(app, {
    method: 'POST',
    path: '/datasources/:datasource/delete',
    summary: 'Start a job that deletes rows',
    params: dataSourcePath,
    fields: DELETE_FIELDS,
    answer: async request => {
      const { delete_condition: condition, dry_run: isDry } = readFields(givenFields(request), DELETE_FIELDS)
      const { name } = await dataSourceIn(data, request)
      return startDelete(request, {
        datasource: name,
        ...(condition !== undefined && { condition }),
        ...(isDry && { dry_run: true }),
      })
    },
  })

  mount(app, {
    method: 'POST',
    path: '/datasources/:datasource/truncate',
    summary: 'Remove all rows, those in quarantine too',
    params: dataSourcePath,
    answer: async request => {
      const dataSource = await dataSourceIn(data, request)
      await truncateDataSource(data, request.caller.workspace, dataSource.name)
      return show(data, request.caller.workspace, dataSource)
    },
  })

  mount(app, {
    method: 'DELETE',
    path: '/datasources/:datasource',
    summary: 'Delete a data source with its rows',
    params: dataSourcePath,
    answer: async (request, reply) => {
      await dropDataSource(data, request.caller.workspace, (await dataSourceIn(data, request)).name)
      return reply.code(204).send()
    },
  })
}
