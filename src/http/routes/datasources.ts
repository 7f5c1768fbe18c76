import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { dataSourceFigures, NO_ROWS } from '../../data/tables/data-source-figures.ts'
import {
  alterDataSource,
  createDataSource,
  dropDataSource,
  getDataSource,
  truncateDataSource,
} from '../../data/tables/data-sources.ts'
import { clearQuarantine, countQuarantine, listQuarantine } from '../../data/tables/quarantine-rows.ts'
import type { DataSource } from '../../model/data-source.ts'
import type { App } from '../app.ts'
import { readDataSourceChange, readNewDataSource } from '../bodies/read-data-source.ts'
import { countWhen } from '../lists/count.ts'
import { pageOf } from '../lists/page-of.ts'
import { DEFAULT_LIMIT } from '../schemas/basics.ts'
import {
  DataPageQuery,
  DataSourceChangeBody,
  DataSourcePage,
  DataSourcePath,
  DataSourceSchema,
  NewDataSourceBody,
  QuarantineFilter,
  QuarantinePage,
} from '../schemas/data-source.ts'
import type { Services } from '../services.ts'
import { viewDataSource } from '../views/data-source-view.ts'

/** Data sources: the tables of a workspace, and their quarantined rows. */
export const dataSourceRoutes = (app: App, services: Services): void => {
  makeRoutes(app, services)
  readRoutes(app, services)
  changeRoutes(app, services)
  quarantineRoutes(app, services)
}

type Target = FastifyRequest<{ Params: { datasource: string } }>

const makeRoutes = (app: App, { data, config }: Services): void => {
  app.post(
    '/v1/datasources',
    {
      schema: {
        tags: ['Data sources'],
        summary: 'Create a data source',
        body: NewDataSourceBody,
        response: { 201: DataSourceSchema },
      },
    },
    async (request, reply) => {
      const { workspace } = request.caller
      const dataSource = await createDataSource(data, workspace, readNewDataSource(request.body))
      reply.code(201).header('location', `${config.publicUrl}/v1/datasources/${dataSource.id}`)
      return viewDataSource(await data.catalogue(workspace), dataSource, NO_ROWS)
    },
  )
}

const readRoutes = (app: App, { data }: Services): void => {
  app.get(
    '/v1/datasources',
    {
      schema: {
        tags: ['Data sources'],
        summary: 'List data sources, newest first',
        querystring: DataPageQuery,
        response: { 200: DataSourcePage },
      },
    },
    async request => {
      const { limit = DEFAULT_LIMIT, cursor = null, count } = request.query
      const { workspace } = request.caller
      const catalogue = await data.catalogue(workspace)
      const { page, nextCursor } = pageOf(catalogue.dataSources, { limit, cursor })
      const figures = await dataSourceFigures(data, workspace, page)
      return {
        datasources: page.map(one => viewDataSource(catalogue, one, figures?.get(one.name) ?? null)),
        next_cursor: nextCursor,
        ...(await countWhen(count, async () => catalogue.dataSources.length)),
      }
    },
  )

  app.get(
    '/v1/datasources/:datasource',
    {
      schema: {
        tags: ['Data sources'],
        summary: 'One data source',
        params: DataSourcePath,
        response: { 200: DataSourceSchema },
      },
    },
    async request => show(data, request, await target(data, request)),
  )
}

const changeRoutes = (app: App, { data }: Services): void => {
  app.put(
    '/v1/datasources/:datasource',
    {
      schema: {
        tags: ['Data sources'],
        summary: 'Change description and TTL, add columns',
        description:
          'schema is the whole list: the existing columns, unchanged, followed by new ones. Omitted fields stay as they are. The response of a GET can be sent back.',
        params: DataSourcePath,
        body: DataSourceChangeBody,
        response: { 200: DataSourceSchema },
      },
    },
    async request => {
      const before = await target(data, request)
      const change = readDataSourceChange(before, request.body)
      return show(data, request, await alterDataSource(data, request.caller.workspace, before.name, change))
    },
  )

  app.delete(
    '/v1/datasources/:datasource',
    {
      schema: {
        tags: ['Data sources'],
        summary: 'Delete a data source and its rows',
        description: 'Refused while a pipe uses it or a job writes to it.',
        params: DataSourcePath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await dropDataSource(data, request.caller.workspace, request.params.datasource)
      return reply.code(204).send(null)
    },
  )

  app.post(
    '/v1/datasources/:datasource/truncate',
    {
      schema: {
        tags: ['Data sources'],
        summary: 'Remove all rows, including the quarantine',
        params: DataSourcePath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await truncateDataSource(data, request.caller.workspace, request.params.datasource)
      return reply.code(204).send(null)
    },
  )
}

const quarantineRoutes = (app: App, { data }: Services): void => {
  app.get(
    '/v1/datasources/:datasource/quarantine',
    {
      schema: {
        tags: ['Data sources'],
        summary: 'List quarantined rows, newest first',
        params: DataSourcePath,
        querystring: DataPageQuery,
        response: { 200: QuarantinePage },
      },
    },
    async request => {
      const { limit = DEFAULT_LIMIT, cursor = null, count } = request.query
      const { workspace } = request.caller
      const { datasource } = request.params
      const { rows, nextCursor } = await listQuarantine(data, workspace, datasource, { limit, cursor })
      return {
        rows: [...rows],
        next_cursor: nextCursor,
        ...(await countWhen(count, () => countQuarantine(data, workspace, datasource))),
      }
    },
  )

  app.delete(
    '/v1/datasources/:datasource/quarantine',
    {
      schema: {
        tags: ['Data sources'],
        summary: 'Remove quarantined rows',
        params: DataSourcePath,
        querystring: QuarantineFilter,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { import_id: importId = null } = request.query
      await clearQuarantine(data, request.caller.workspace, request.params.datasource, importId)
      return reply.code(204).send(null)
    },
  )
}

const target = (data: Services['data'], { caller, params }: Target): Promise<DataSource> =>
  getDataSource(data, caller.workspace, params.datasource)

const show = async (data: Services['data'], { caller: { workspace } }: FastifyRequest, dataSource: DataSource) => {
  const figures = await dataSourceFigures(data, workspace, [dataSource])
  return viewDataSource(await data.catalogue(workspace), dataSource, figures?.get(dataSource.name) ?? null)
}
