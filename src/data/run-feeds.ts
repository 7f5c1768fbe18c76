import type { Catalogue } from '../model/catalogue.ts'
import { dataSourcesOf, type Feed, feedsOf, findDataSource } from '../model/catalogue-graph.ts'
import { compileNode } from '../model/compile-node.ts'
import type { WriteMode } from '../model/data-source.ts'
import type { Data } from './data.ts'
import { INSERT_SETTINGS, insertSelect } from './insert-select.ts'
import type { Staged } from './write-rows.ts'

/**
 * A replace makes what depends on it anew, whole: of all that feeds it, also from elsewhere, and each when all is made that it reads. An append
 * adds what the new rows make.
 */
export const feedsToRun = (catalogue: Catalogue, feeds: readonly Feed[], mode: WriteMode): readonly Feed[] => {
  if (mode === 'append') return feeds
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

/** Puts what a materialized node makes of staged rows into its staged table. */
export const runFeed = async (
  data: Data,
  workspace: string,
  staged: Staged,
  { pipe, node, into }: Feed,
): Promise<void> => {
  const { catalogue, database, statements } = staged
  const sql = await data.warehouse.checkSelect({
    workspace,
    sql: compileNode(catalogue, pipe, node),
  })
  await statements.command({
    database,
    sql: insertSelect(findDataSource(catalogue, into)!, sql),
    settings: INSERT_SETTINGS,
  })
}
