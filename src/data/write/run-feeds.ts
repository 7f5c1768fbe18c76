import type { Catalogue } from '../../model/catalogue.ts'
import { dataSourcesOf, type Feed, feedsOf, findDataSource, orderCounts } from '../../model/catalogue-graph.ts'
import type { WriteMode } from '../../model/data-source.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import { isSqlError, WarehouseError } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import { compileNode } from '../pipes/compile-select.ts'
import { createAliasSql, createTableSql, qualified } from '../tables/table-ddl.ts'
import { givenColumns } from './given-columns.ts'
import { IN_ORDER, INSERT_SETTINGS, insertSelect } from './insert-select.ts'
import { dropStaging, sourceName } from './staging-database.ts'
import type { Staged } from './write-rows.ts'

/**
 * A replace makes what depends on it anew, whole: of all that feeds it, also from elsewhere, and each when all is made that it reads. An append
 * adds what the new rows make.
 */
export const feedsToRun = (catalogue: Catalogue, feeds: readonly Feed[], mode: WriteMode): readonly Feed[] => {
  if (mode === 'append') return inOrder(catalogue, feeds)
  const replaced = new Set(feeds.map(({ into }) => into))
  const others = feedsOf(catalogue).filter(
    feed => replaced.has(feed.into) && !feeds.some(({ node }) => node === feed.node),
  )
  return inOrder(catalogue, [...others, ...feeds])
}

/** Each after those that fill what it reads, in joins too. Such feeds may go in a ring: then one begins. */
const inOrder = (catalogue: Catalogue, feeds: readonly Feed[]): readonly Feed[] => {
  const left = feeds.map(feed => ({ feed, reads: dataSourcesOf(catalogue, feed.pipe, feed.node) }))
  const ordered: Feed[] = []
  while (left.length > 0) {
    const index = left.findIndex(one => !left.some(other => other !== one && one.reads.has(other.feed.into)))
    ordered.push(...left.splice(Math.max(0, index), 1).map(({ feed }) => feed))
  }
  return ordered
}

type Run = {
  readonly workspace: string
  readonly mode: WriteMode
  /** What is written: in staging its names are those of new rows. */
  readonly written: readonly string[]
}

/**
 * Puts what a materialized node makes of staged rows into its staged table. What it joins is whole: of an append, what is live and what has come to
 * it so far.
 */
export const runFeed = async (data: Data, run: Run, staged: Staged, feed: Feed): Promise<void> => {
  const { workspace, mode, written } = run
  const reads = [...dataSourcesOf(staged.catalogue, feed.pipe, feed.node)]
  const isPart = (name: string): boolean => name !== feed.from && written.includes(name)
  if (mode === 'replace' || !reads.some(isPart)) return runNamed(data, workspace, staged, feed, staged.database)
  const database = sourceName(staged.database)
  try {
    await staged.statements.command({ sql: `CREATE DATABASE ${quoteIdentifier(database)}` })
    for (const name of reads)
      if (isPart(name)) await makeWhole(staged, database, name)
      else
        await staged.statements.command({
          sql: createAliasSql(database, {
            database: name === feed.from ? staged.database : staged.liveDatabase,
            name,
          }),
        })
    await runNamed(data, workspace, staged, feed, database)
  } finally {
    // What cannot be dropped now is by whoever writes next in the workspace.
    await dropStaging(data.warehouse, workspace, database).catch(ignore)
  }
}

const ignore = (): void => {}

const makeWhole = async (staged: Staged, database: string, name: string): Promise<void> => {
  const { catalogue, statements } = staged
  const table = qualified(database, name)
  await statements.command({ sql: createTableSql(database, findDataSource(catalogue, name)!) })
  for (const from of [staged.liveDatabase, staged.database])
    await statements.command({ sql: `ALTER TABLE ${table} ATTACH PARTITION ALL FROM ${qualified(from, name)}` })
}

/** Whoever appends rows may not know what is made of them: what fails there is told with its name. */
const runNamed: typeof runIn = async (data, workspace, staged, feed, database) => {
  try {
    await runIn(data, workspace, staged, feed, database)
  } catch (error) {
    if (!isSqlError(error)) throw error
    const node = `The node ${feed.node.name} of the pipe ${feed.pipe.name}, which feeds ${feed.into}`
    throw new WarehouseError(error.reason, `${node}: ${error.message}`, { cause: error })
  }
}

const runIn = async (
  data: Data,
  workspace: string,
  staged: Staged,
  { pipe, node, into }: Feed,
  database: string,
): Promise<void> => {
  const { catalogue, statements } = staged
  const sql = await data.warehouse.checkSelect({
    workspace,
    sql: await compileNode(data, { workspace, catalogue, pipe, node }),
  })
  const given = await givenColumns(statements, { sql, database })
  const target = findDataSource(catalogue, into)!
  await statements.command({
    database,
    sql: insertSelect({ into: target, table: qualified(staged.database, into), select: sql, given }),
    settings: { ...INSERT_SETTINGS, ...(orderCounts(catalogue, into) && IN_ORDER) },
  })
}
