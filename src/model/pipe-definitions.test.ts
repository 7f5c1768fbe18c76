import { expect, test } from 'vitest'
import { dataSourcesOf, findPipeCycle, readsOf } from './catalogue-graph.ts'
import { countReads, flattenSelect } from './flatten-select.ts'
import type { Pipe, PipeNode } from './pipe.ts'
import { createDefinitions } from './pipe-definitions.ts'

const node = (name: string, reads: readonly string[]): PipeNode => ({
  name,
  sql: `SELECT * FROM ${reads.join(', ')}`,
  role: { type: 'plain' },
  reads,
  source: reads[0] ?? null,
})

const pipe = (name: string, nodes: readonly PipeNode[]): Pipe => ({
  id: `t_${name}`,
  name,
  description: null,
  nodes,
  createdAt: 0,
  updatedAt: 0,
})

const catalogue = (pipes: readonly Pipe[]) => ({ version: 1, dataSources: [], pipes })

/** As the guard finds them in the SQL of `node`. */
const bound = ({ sql, reads }: PipeNode) => {
  const names = reads.map(name => ({
    start: sql.indexOf(` ${name}`) + 1,
    end: sql.indexOf(` ${name}`) + 1 + name.length,
    name,
    is: 'table' as const,
    expression: null,
    within: null,
    alias: name,
    isEnclosed: false,
    isIsolated: false,
  }))
  return { sql, expressions: [], names, origins: [] }
}

const definitionOf = (pipes: readonly Pipe[], of: Pipe) =>
  createDefinitions(catalogue(pipes), bound).ofNode(of, of.nodes.at(-1)!)

/** `x2` reads `x1` and `x0`, `x3` reads `x2` and `x1`: there are more paths than anybody could follow. */
const reads = (index: number): readonly string[] =>
  index === 0 ? ['events'] : index === 1 ? ['x0'] : [`x${index - 1}`, `x${index - 2}`]

test('what a SELECT reads is put before it, once each and under a unique name', () => {
  const nodes = [node('a', ['events']), node('b', ['a']), node('c', ['b', 'a'])]
  const one = pipe('one', nodes)
  expect(flattenSelect(definitionOf([one], one)).replaceAll('\n', ' ')).toBe(
    'WITH `c__1_a` AS ( SELECT * FROM events ), `c__2_b` AS ( SELECT * FROM `c__1_a` AS a ) SELECT * FROM ( SELECT * FROM `c__2_b` AS b, `c__1_a` AS a )',
  )
})

test('two nodes of the same name in two pipes are kept apart', () => {
  const first = pipe('first', [node('only', ['events'])])
  const second = pipe('second', [node('only', ['clicks'])])
  const third = pipe('third', [node('both', ['first', 'second'])])
  expect(flattenSelect(definitionOf([first, second, third], third)).replaceAll('\n', ' ')).toBe(
    'WITH `c__1_only` AS ( SELECT * FROM events ), `c__2_only` AS ( SELECT * FROM clicks ) SELECT * FROM ( SELECT * FROM `c__1_only` AS first, `c__2_only` AS second )',
  )
})

test('nodes that are read in several ways are visited once', () => {
  const nodes = Array.from({ length: 100 }, (_, index) => node(`x${index}`, reads(index)))
  const one = pipe('one', nodes)
  expect(flattenSelect(definitionOf([one], one)).match(/ AS \(/g)).toHaveLength(99)
  const read = readsOf(catalogue([one]), one, nodes.at(-1)!)
  expect([[...read.dataSources], read.nodes.size]).toEqual([['events'], 100])
})

test('pipes that are read in several ways are visited and written once', () => {
  const pipes = Array.from({ length: 500 }, (_, index) => pipe(`x${index}`, [node('only', reads(index))]))
  expect(findPipeCycle(catalogue(pipes), pipes.at(-1)!)).toBeNull()
  expect([...dataSourcesOf(catalogue(pipes), pipes.at(-1)!, pipes.at(-1)!.nodes[0]!)]).toEqual(['events'])
  const text = flattenSelect(definitionOf(pipes, pipes.at(-1)!))
  expect(text.match(/ AS \(/g)).toHaveLength(499)
})

test('reads are counted as often as the engine makes them', () => {
  const nodes = Array.from({ length: 30 }, (_, index) => node(`x${index}`, reads(index)))
  const one = pipe('one', nodes)
  const count = (of: number) => countReads(createDefinitions(catalogue([one]), bound).ofNode(one, nodes[of]!), 1_000)
  expect([0, 1, 2, 3, 4, 5, 6].map(count)).toEqual([1, 1, 2, 3, 5, 8, 13])
  expect(count(29)).toBeGreaterThan(1_000)
})

test('a pipe created after a node was saved does not change the meaning of its names', () => {
  const later = pipe('tags', [node('only', ['events'])])
  const one = pipe('one', [{ ...node('a', ['events', 'tags']), reads: ['events'] }])
  expect(flattenSelect(definitionOf([later, one], one))).toBe('SELECT * FROM events, tags')
})
