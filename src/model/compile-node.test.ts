import { expect, test } from 'vitest'
import { dataSourcesOf, findPipeCycle } from './catalogue-graph.ts'
import { compileNode } from './compile-node.ts'
import type { Pipe, PipeNode } from './pipe.ts'

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

/** `x2` reads `x1` and `x0`, `x3` reads `x2` and `x1`: there are more ways down than anybody could go. */
const reads = (index: number): readonly string[] =>
  index === 0 ? ['events'] : index === 1 ? ['x0'] : [`x${index - 1}`, `x${index - 2}`]

test('what is read stands before who reads it, each once', () => {
  const nodes = [node('a', ['events']), node('b', ['a']), node('c', ['b', 'a'])]
  const one = pipe('one', nodes)
  expect(compileNode(catalogue([one]), one, nodes[2]!).replaceAll('\n', ' ')).toBe(
    'WITH `a` AS ( SELECT * FROM events ), `b` AS ( SELECT * FROM a ) SELECT * FROM ( SELECT * FROM b, a )',
  )
})

test('nodes that are read on many ways are gone through once', () => {
  const nodes = Array.from({ length: 100 }, (_, index) => node(`x${index}`, reads(index)))
  const one = pipe('one', nodes)
  const all = catalogue([one])
  expect(compileNode(all, one, nodes.at(-1)!).match(/ AS \(/g)).toHaveLength(99)
  expect([...dataSourcesOf(all, one, nodes.at(-1)!)]).toEqual(['events'])
})

test('pipes that are read on many ways are gone through once', () => {
  const pipes = Array.from({ length: 500 }, (_, index) => pipe(`x${index}`, [node('only', reads(index))]))
  expect(findPipeCycle(catalogue(pipes), pipes.at(-1)!)).toBeNull()
  expect([...dataSourcesOf(catalogue(pipes), pipes.at(-1)!, pipes.at(-1)!.nodes[0]!)]).toEqual(['events'])
})
