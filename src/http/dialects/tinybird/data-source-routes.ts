import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { dataSourceFigures } from '../../../data/tables/data-source-figures.ts'
import { dropDataSource, getDataSource, truncateDataSource } from '../../../data/tables/data-sources.ts'
import type { DataSource } from '../../../model/data-source.ts'
import type { App } from '../../app.ts'
import type { Services } from '../../services.ts'
import { viewListedDataSource } from './data-source-view.ts'
import { createDelete } from './delete-rows.ts'
import { flagField, givenFields, readFields, textField } from './fields.ts'
import { mount, namesIn } from './mount.ts'
import { showDataSource } from './show-data-source.ts'

const dataSourcePath = { datasource: Type.String({ description: 'Name or id.' }) }

/** Reading, truncating and deleting data sources, and the jobs that delete rows. */
export const dataSourceRoutes = (app: App, services: Services): void => {
  readRoutes(app, services)
  changeRoutes(app, services)
}

const dataSourceIn = (data: Services['data'], request: FastifyRequest): Promise<DataSource> =>
  getDataSource(data, request.caller.workspace, namesIn<'datasource'>(request).datasource)

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
    answer: async request => showDataSource(data, request.caller.workspace, await dataSourceIn(data, request)),
  })
}

const DELETE_FIELDS = {
  delete_condition: textField('Rows that match this expression are deleted.'),
  dry_run: flagField('true: only count the rows.'),
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
    summary: 'Remove all rows, including the quarantine',
    params: dataSourcePath,
    answer: async request => {
      const dataSource = await dataSourceIn(data, request)
      await truncateDataSource(data, request.caller.workspace, dataSource.name)
      return showDataSource(data, request.caller.workspace, dataSource)
    },
  })

  mount(app, {
    method: 'DELETE',
    path: '/datasources/:datasource',
    summary: 'Delete a data source and its rows',
    params: dataSourcePath,
    answer: async (request, reply) => {
      await dropDataSource(data, request.caller.workspace, (await dataSourceIn(data, request)).name)
      return reply.code(204).send()
    },
  })
}
