import { invalidField, MillraceError } from '../../kernel/errors.ts'
import type { Catalogue } from '../../model/catalogue.ts'
import { findDataSource, findPipe, readersOf, writtenWith } from '../../model/catalogue-graph.ts'
import type { DataSource } from '../../model/data-source.ts'
import type { Pipe, PipeNode } from '../../model/pipe.ts'
import { changeCatalogue } from '../change-catalogue.ts'
import type { Data } from '../data.ts'
import { newDataId } from '../data-id.ts'
import {
  checkNewDataSource,
  createDataSource,
  dropEmptyDataSource,
  type NewDataSource,
  refuseTaken,
} from '../tables/data-sources.ts'
import { checkPipe, inspectNodes, type NewNode } from './check-pipe.ts'
import { inferTarget, missingTargets } from './infer-target.ts'

export type NewPipe = {
  readonly name: string
  readonly description?: string | null
  readonly nodes: readonly NewNode[]
}

/**
 * Creates a pipe, and from their output the missing data sources of its materialized and copy nodes. Throws `MillraceError`: `invalid` with the node of every
 * fault, `data_source_exists`, `data_busy`; `WarehouseError` if the engine is unreachable.
 */
export const createPipe = (data: Data, workspace: string, given: NewPipe): Promise<Pipe> =>
  putPipe(data, workspace, given, catalogue => {
    refuseTaken(catalogue, given.name)
    return null
  })

/** Replaces nodes and description. Rows materialized by the previous nodes stay. Throws as `createPipe` does, and `not_found`. The name cannot change. */
export const replacePipe = (data: Data, workspace: string, name: string, given: NewPipe): Promise<Pipe> =>
  putPipe(data, workspace, given, catalogue => {
    const before = requirePipe(catalogue, name)
    if (given.name !== before.name) throw invalidField('name', `must be ${before.name}, as in the address`)
    return before
  })

const putPipe = async (
  data: Data,
  workspace: string,
  given: NewPipe,
  findBefore: (catalogue: Catalogue) => Pipe | null,
): Promise<Pipe> => {
  await data.ready(workspace)
  const first = await data.catalogue(workspace)
  findBefore(first)
  const now = await data.store.now()
  const build = async (catalogue: Catalogue, before: Pipe | null): Promise<Pipe> => ({
    id: before?.id ?? newDataId(),
    name: given.name,
    description: given.description ?? null,
    nodes: await inspectNodes(data, workspace, catalogue, given),
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
  })
  return withTargets(data, workspace, await build(first, null), () =>
    changeCatalogue(data, workspace, async catalogue => {
      const before = findBefore(catalogue)
      // Built again: a data source that was missing may exist by now, and then it is read.
      const pipe = await build(catalogue, before)
      await checkPipe(data, workspace, withPipe(catalogue, pipe), pipe)
      return {
        changes: [{ type: 'put_pipe', pipe }],
        unlessLocked: tablesOf(catalogue, pipe, before),
        result: pipe,
      }
    }),
  )
}

const withPipe = (catalogue: Catalogue, pipe: Pipe): Catalogue => ({
  ...catalogue,
  pipes: [...catalogue.pipes.filter(({ name }) => name !== pipe.name), pipe],
})

/** A write in progress uses the catalogue as of its start, so the feeds of its tables must not change meanwhile. */
const tablesOf = (catalogue: Catalogue, pipe: Pipe, before: Pipe | null): readonly string[] => {
  const targets = [pipe, ...(before === null ? [] : [before])].flatMap(({ nodes }) =>
    nodes.flatMap(({ role }) => (role.type === 'materialized' ? [role.into] : [])),
  )
  return [...new Set(targets.flatMap(name => writtenWith(catalogue, name)))]
}

/** Creates the data sources that a pipe lacks, and removes them if the pipe is not saved. */
const withTargets = async <T>(data: Data, workspace: string, pipe: Pipe, save: () => Promise<T>): Promise<T> => {
  const made: DataSource[] = []
  try {
    for (const target of await findTargets(data, workspace, pipe)) {
      const dataSource = await unlessThere(data, workspace, target, createDataSource(data, workspace, target))
      if (dataSource !== null) made.push(dataSource)
    }
    return await save()
  } catch (error) {
    // An empty data source left behind does no harm, and may be in use by now.
    for (const { id } of made) await dropEmptyDataSource(data, workspace, id).catch(ignore)
    throw error
  }
}

const ignore = (): void => {}

/** The data sources that a pipe lacks. All of them have passed the checks. */
const findTargets = async (data: Data, workspace: string, pipe: Pipe): Promise<readonly NewDataSource[]> => {
  const catalogue = withPipe(await data.catalogue(workspace), pipe)
  const missing = missingTargets(catalogue, pipe)
  if (missing.length === 0) return []
  await checkPipe(data, workspace, catalogue, pipe, { missingTargetsAreFine: true })
  const targets: NewDataSource[] = []
  for (const node of missing) {
    const target = await inferTarget(data, { workspace, catalogue, pipe, node })
    const check = checkNewDataSource(data, workspace, target)
    await unlessThere(data, workspace, target, check).catch(error => refuseTarget(error, pipe, node))
    targets.push(target)
  }
  return targets
}

/** null: another call that needs the data source created it first. The check of the pipe tells whether the node can fill it. */
const unlessThere = async (
  data: Data,
  workspace: string,
  { name }: NewDataSource,
  made: Promise<DataSource>,
): Promise<DataSource | null> => {
  try {
    return await made
  } catch (error) {
    const isTaken = error instanceof MillraceError && error.code === 'data_source_exists'
    if (!isTaken || !findDataSource(await data.catalogue(workspace), name)) throw error
    return null
  }
}

const refuseTarget = (error: unknown, pipe: Pipe, node: PipeNode): never => {
  if (!(error instanceof MillraceError) || error.code !== 'invalid') throw error
  const into = node.role.type === 'plain' ? '' : node.role.into
  throw invalidField(
    `nodes.${pipe.nodes.indexOf(node)}.sql`,
    `the node ${node.name}: ${into} cannot be created from its output: ${error.message}`,
  )
}

/** By name or id. Throws `not_found`. */
export const getPipe = async (data: Data, workspace: string, name: string): Promise<Pipe> =>
  requirePipe(await data.catalogue(workspace), name)

const requirePipe = (catalogue: Catalogue, name: string): Pipe => {
  const found = findPipe(catalogue, name)
  if (found === undefined) throw new MillraceError('not_found', `There is no pipe ${name}.`)
  return found
}

/** Keeps the data sources it filled. Throws `not_found`, `data_source_in_use` if other pipes read it, `data_busy`. */
export const dropPipe = (data: Data, workspace: string, name: string): Promise<Pipe> =>
  changeCatalogue(data, workspace, catalogue => {
    const pipe = requirePipe(catalogue, name)
    const readers = readersOf(catalogue, pipe)
    if (readers.length > 0)
      throw new MillraceError(
        'data_source_in_use',
        `${pipe.name} is read by ${readers.map(other => `the pipe ${other.name}`).join(', ')}.`,
      )
    return {
      changes: [{ type: 'drop_pipe', id: pipe.id }],
      unlessLocked: tablesOf(catalogue, pipe, null),
      result: pipe,
    }
  })
