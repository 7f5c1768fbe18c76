import type { Catalogue } from '../../model/catalogue.ts'
import { dataSourcesOf, type Feed, feedsOf, findDataSource, orderCounts } from '../../model/catalogue-graph.ts'
import type { WriteMode } from '../../model/data-source.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import { isSqlError, WarehouseError } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import { compileNode } from '../pipes/compile-select.ts'
import { attachAllSql, createAliasSql, createTableSql, qualified } from '../tables/table-ddl.ts'
import { givenColumns } from './given-columns.ts'
import { IN_ORDER, INSERT_SETTINGS, insertSelect } from './insert-select.ts'
import { dropStaging, sourceName } from './staging-database.ts'
import type { Staged } from './write-rows.ts'

/**
 * The feeds to run, in order. A replace rebuilds dependent data sources completely: from all their feeds, including those that do not depend on the target,
 * each after everything that it reads. An append adds only what the new rows produce.
 */
export const feedsToRun = (catalogue: Catalogue, feeds: readonly Feed[], mode: WriteMode): readonly Feed[] => {
  if (mode === 'append') return inOrder(catalogue, feeds)
  const replaced = new Set(feeds.map(({ into }) => into))
  const others = feedsOf(catalogue).filter(
    feed => replaced.has(feed.into) && !feeds.some(({ node }) => node === feed.node),
  )
  return inOrder(catalogue, [...others, ...feeds])
}

/** Each feed comes after those that fill what it reads, including what it joins. If feeds form a cycle, one of them goes first. */
const inOrder = (catalogue: Catalogue, feeds: readonly Feed[]): readonly Feed[] => {
  const left = feeds.map(feed => ({ feed, reads: dataSourcesOf(catalogue, feed.pipe, feed.node) }))
  const ordered: Feed[] = []
  while (left.length > 0) {
    const index = left.findIndex(one => !left.some(other => other !== one && one.reads.has(other.feed.into)))
    ordered.push(...left.splice(Math.max(0, index), 1).map(({ feed }) => feed))
  }
  return ordered
}

/**
 * Runs a materialized node on staged rows, and inserts the result into its staged table. Tables that it joins are complete: for an append, the live rows and
 * those staged so far.
 */
export const runFeed = async (data: Data, staged: Staged, feed: Feed): Promise<void> => {
  const { mode, written } = staged
  const reads = [...dataSourcesOf(staged.catalogue, feed.pipe, feed.node)]
  // In staging, names of written data sources mean their new rows only.
  const isPart = (name: string): boolean => name !== feed.from && written.has(name)
  if (mode === 'replace' || !reads.some(isPart)) return runNamed(data, { staged, feed, database: staged.database })
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
    await runNamed(data, { staged, feed, database })
  } finally {
    // The next writer in the workspace drops what cannot be dropped now.
    await dropStaging(data.warehouse, staged.workspace, database).catch(ignore)
  }
}

const ignore = (): void => {}

const makeWhole = async (staged: Staged, database: string, name: string): Promise<void> => {
  const { catalogue, statements } = staged
  const table = qualified(database, name)
  await statements.command({ sql: createTableSql(database, findDataSource(catalogue, name)!) })
  for (const from of [staged.liveDatabase, staged.database])
    await statements.command({ sql: attachAllSql(table, qualified(from, name)) })
}

type Run = {
  readonly staged: Staged
  readonly feed: Feed
  /** The database in which names in its SQL are looked up. */
  readonly database: string
}

/** Adds the node's name to a fault: those who append rows may not know which nodes are fed with them. */
const runNamed = async (data: Data, run: Run): Promise<void> => {
  try {
    await runIn(data, run)
  } catch (error) {
    if (!isSqlError(error)) throw error
    const { feed } = run
    const node = `The node ${feed.node.name} of the pipe ${feed.pipe.name}, which feeds ${feed.into}`
    throw new WarehouseError(error.reason, `${node}: ${error.message}`, { cause: error })
  }
}

const runIn = async (data: Data, { staged, feed, database }: Run): Promise<void> => {
  const { workspace, catalogue, statements } = staged
  const { pipe, node, into } = feed
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
