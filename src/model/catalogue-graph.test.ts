import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Catalogue } from './catalogue.ts'
import {
  dataSourcesOf,
  feedsBelow,
  findFeedCycle,
  findPipeCycle,
  pipesOf,
  readersOf,
  sourceOf,
  writtenWith,
} from './catalogue-graph.ts'
import type { DataSource } from './data-source.ts'
import type { NodeRole, Pipe, PipeNode } from './pipe.ts'

const dataSource = (name: string): DataSource => ({
  id: `t_${name}`,
  name,
  description: null,
  columns: [{ name: 'a', type: 'String', jsonPath: null }],
  engine: 'MergeTree',
  sortingKey: null,
  partitionKey: null,
  ttl: null,
  format: null,
  createdAt: 0,
  updatedAt: 0,
})

const node = (name: string, reads: readonly string[], role: NodeRole = { type: 'plain' }): PipeNode => ({
  name,
  sql: `SELECT * FROM ${reads[0]}`,
  role,
  reads,
  source: reads[0] ?? null,
})

const pipe = (name: string, ...nodes: readonly PipeNode[]): Pipe => ({
  id: `t_${name}`,
  name,
  description: null,
  nodes,
  createdAt: 0,
  updatedAt: 0,
})

const into = (name: string): NodeRole => ({ type: 'materialized', into: name })

const catalogue = (names: readonly string[], ...pipes: readonly Pipe[]): Catalogue => ({
  version: 1,
  dataSources: names.map(dataSource),
  pipes,
})

describe('the source of a node', () => {
  const shared = pipe('shared', node('one', ['events', 'dim']), node('two', ['one']))
  const reader = pipe('reader', node('first', ['shared', 'other']), node('last', ['first'], into('target')))
  const all = catalogue(['events', 'dim', 'other', 'target'], shared, reader)

  test('is found through earlier nodes and other pipes', () => {
    expect(sourceOf(all, reader, reader.nodes[1]!)).toBe('events')
    expect([...dataSourcesOf(all, reader, reader.nodes[1]!)].sort()).toEqual(['dim', 'events', 'other'])
  })

  test('decides what a write changes', () => {
    expect(writtenWith(all, 'events')).toEqual(['events', 'target'])
    expect(writtenWith(all, 'dim')).toEqual(['dim'])
  })

  test('cannot be dropped, and neither can a pipe that is read', () => {
    expect(pipesOf(all, 'dim').map(({ name }) => name)).toEqual(['shared'])
    expect(pipesOf(all, 'target').map(({ name }) => name)).toEqual(['reader'])
    expect(readersOf(all, shared).map(({ name }) => name)).toEqual(['reader'])
  })

  test('is the earlier node when that hides a data source of the same name', () => {
    const hiding = pipe('hiding', node('dim', ['events']), node('last', ['dim'], into('target')))
    const with_ = catalogue(['events', 'dim', 'target'], hiding)
    expect(sourceOf(with_, hiding, hiding.nodes[1]!)).toBe('events')
    expect(pipesOf(with_, 'dim')).toEqual([])
  })
})

describe('cycles', () => {
  test('of feeds are found, with their path', () => {
    const all = catalogue(['a', 'b'], pipe('p', node('n', ['a'], into('b'))), pipe('q', node('m', ['b'], into('a'))))
    expect(findFeedCycle(all)).toEqual(['a', 'b', 'a'])
  })

  test('of a single data source are found', () => {
    expect(findFeedCycle(catalogue(['a'], pipe('p', node('n', ['a'], into('a')))))).toEqual(['a', 'a'])
  })

  test('of pipes that read each other are found', () => {
    const first = pipe('first', node('n', ['second']))
    const second = pipe('second', node('m', ['first']))
    expect(findPipeCycle(catalogue([], first, second), first)).toEqual(['first', 'second', 'first'])
    expect(findPipeCycle(catalogue(['second'], first), first)).toBeNull()
  })
})

/** Feeds that only go from lower numbers to higher ones. */
const acyclic = fc
  .array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 25 })
  .map(pairs => pairs.filter(([from, to]) => from < to))

test('property: every feed comes after all that fill its sources, and none is missing', () => {
  fc.assert(
    fc.property(acyclic, fc.nat(9), (pairs, start) => {
      const pipes = pairs.map(([from, to], index) => pipe(`p${index}`, node('n', [`d${from}`], into(`d${to}`))))
      const all = catalogue(
        Array.from({ length: 10 }, (_, index) => `d${index}`),
        ...pipes,
      )
      expect(findFeedCycle(all)).toBeNull()
      const feeds = feedsBelow(all, `d${start}`)
      const reached = new Set([start])
      for (const [from, to] of pairs.toSorted(([a], [b]) => a - b)) if (reached.has(from)) reached.add(to)
      expect(new Set(writtenWith(all, `d${start}`))).toEqual(new Set([...reached].map(number => `d${number}`)))
      expect(feeds).toHaveLength(pairs.filter(([from]) => reached.has(from)).length)
      for (const [index, feed] of feeds.entries())
        expect(feeds.slice(index).every(later => later.into !== feed.from)).toBe(true)
    }),
  )
})
