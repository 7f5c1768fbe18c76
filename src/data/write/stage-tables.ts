import { allEnded } from '../../kernel/all-ended.ts'
import type { Catalogue } from '../../model/catalogue.ts'
import { dataSourcesOf, type Feed, feedsBelow, findDataSource } from '../../model/catalogue-graph.ts'
import { type DataSource, mergesRows, quarantineOf } from '../../model/data-source.ts'
import type { PublishedTable } from '../../store/data-store.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import type { Data } from '../data.ts'
import { createStatements } from '../statements.ts'
import {
  attachAllSql,
  createAliasSql,
  createQuarantineSql,
  createTableSql,
  mergeSql,
  qualified,
} from '../tables/table-ddl.ts'
import { tablesOf } from './exchange-tables.ts'
import { feedsToRun } from './run-feeds.ts'
import { stagingName } from './staging-database.ts'
import type { Staged, Write } from './write-rows.ts'

/** Creates a staged table for each written data source, and an alias for everything else that nodes read. */
export const stage = async (data: Data, write: Write, catalogue: Catalogue): Promise<Staged> => {
  const { warehouse } = data
  const { job, mode, signal } = write
  const { workspace } = job
  const target = findDataSource(catalogue, write.target)!
  const liveDatabase = warehouse.database(workspace)
  const database = stagingName(liveDatabase, { jobId: job.id, attempt: job.attempt })
  const statements = createStatements({ warehouse, job, signal })
  const below = write.feeds ? feedsBelow(catalogue, target.name) : []
  const written = new Set([target.name, ...below.map(({ into }) => into)])
  const feeds = feedsToRun(catalogue, below, mode)
  const unmerged = unmergedOf(write, catalogue, feeds).intersection(written)
  const read = readBy(catalogue, feeds).difference(written)
  await statements.command({ sql: `CREATE DATABASE ${quoteIdentifier(database)}` })
  const tables = [
    ...[...written].map(name =>
      createTableSql(database, findDataSource(catalogue, name)!, { unmerged: unmerged.has(name) }),
    ),
    ...[...read].map(name => createAliasSql(database, { database: liveDatabase, name })),
    ...(write.quarantine ? [createQuarantineSql(database, target, data.quarantineKeptMs)] : []),
  ]
  for (let at = 0; at < tables.length; at += AT_ONCE)
    await allEnded(tables.slice(at, at + AT_ONCE).map(sql => statements.command({ sql })))
  return { workspace, mode, catalogue, target, written, feeds, database, liveDatabase, statements, unmerged }
}

const AT_ONCE = 4

/** Data sources whose engine changes rows after they are written, if those rows are counted or fed to nodes. */
const unmergedOf = (write: Write, catalogue: Catalogue, feeds: readonly Feed[]): ReadonlySet<string> => {
  const names = [...feeds.map(({ from }) => from), ...(write.countsRows ? [write.target] : [])]
  const changes = (dataSource: DataSource): boolean => mergesRows(dataSource) || dataSource.ttl !== null
  return new Set(names.filter(name => changes(findDataSource(catalogue, name)!)))
}

/** The rows have been read as written, so they may be merged now. */
export const letMerge = async ({ database, statements, unmerged }: Staged): Promise<void> => {
  for (const name of unmerged) await statements.command({ sql: mergeSql(database, name) })
}

const readBy = (catalogue: Catalogue, feeds: readonly Feed[]): ReadonlySet<string> =>
  new Set(feeds.flatMap(({ pipe, node }) => [...dataSourcesOf(catalogue, pipe, node)]))

/** No data source can have this name. */
const JOINED = 'c__joined'

/**
 * Adds the live rows to the staged ones; parts are linked, not copied. Where rows replace each other, the last part wins, so the new parts are linked after the
 * live ones.
 */
export const joinLive = async (staged: Staged, name: string): Promise<void> => {
  const link = (into: string) => attachAll(staged, into, staged.liveDatabase, name)
  return mergesRows(findDataSource(staged.catalogue, name)!) ? putBefore(staged, name, link) : link(name)
}

/** Fills a second table for a staged data source, links the staged rows after that, and puts it in place of the first. */
export const putBefore = async (staged: Staged, name: string, fill: (into: string) => Promise<void>): Promise<void> => {
  const { catalogue, database, statements, unmerged } = staged
  const joined = { ...findDataSource(catalogue, name)!, name: JOINED }
  await statements.command({ sql: createTableSql(database, joined, { unmerged: unmerged.has(name) }) })
  await fill(JOINED)
  await attachAll(staged, JOINED, database, name)
  await statements.command({
    sql: `EXCHANGE TABLES ${qualified(database, JOINED)} AND ${qualified(database, name)}`,
  })
  await statements.command({ sql: `DROP TABLE ${qualified(database, JOINED)} SYNC` })
}

const attachAll = ({ database, statements }: Staged, into: string, fromDatabase: string, from: string): Promise<void> =>
  statements.command({ sql: attachAllSql(qualified(database, into), qualified(fromDatabase, from)) })

/** The tables to publish. Quarantined rows are published together with the rows that fit. */
export const toPublish = async (data: Data, write: Write, staged: Staged): Promise<readonly PublishedTable[]> => {
  const { workspace, target, database, liveDatabase, statements } = staged
  const quarantine = quarantineOf(target.name)
  const names = [...staged.written]
  const [found, hasBad] = await Promise.all([
    tablesOf(data.warehouse, workspace, database),
    write.quarantine && hasRows(staged, quarantine),
  ])
  if (hasBad) {
    await statements.command({ sql: createQuarantineSql(liveDatabase, target, data.quarantineKeptMs) })
    await attachAll(staged, quarantine, liveDatabase, quarantine)
    names.push(quarantine)
  }
  return names.map(name => ({ name, uuid: found.get(name)!.uuid }))
}

const hasRows = async ({ database, statements }: Staged, table: string): Promise<boolean> => {
  const found = await statements.rows({ sql: `SELECT 1 AS found FROM ${qualified(database, table)} LIMIT 1` })
  return found.length > 0
}
