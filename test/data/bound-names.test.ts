import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compileQuery } from '../../src/data/pipes/compile-select.ts'
import type { Catalogue } from '../../src/model/catalogue.ts'
import type { Pipe } from '../../src/model/pipe.ts'
import { type DataScene, openDataScene, WORKSPACE } from './scene.ts'

/**
 * Pipes and queries at random, in which tables, nodes and expressions share few names, against what they give when each name is
 * looked up where it is written.
 */

const TABLES: Readonly<Record<string, readonly number[]>> = { t: [1, 2], u: [2, 3], v: [5] }
const NODES = ['n0', 'n1', 'n2'] as const
const NAMES = [...Object.keys(TABLES), ...NODES, 'p']

type Expression = { readonly name: string; readonly query: Query }
type Member = {
  readonly with: readonly Expression[]
  readonly from: string | Query
  readonly plus: number
  readonly set: { readonly name: string; readonly isSelect: boolean; readonly not: boolean } | null
}
/** Members of a UNION ALL; one in parentheses contains more. */
type Query = { readonly members: readonly Member[] }

const name = fc.constantFrom(...NAMES)

const queryOf = (depth: number): fc.Arbitrary<Query> => {
  const below = depth === 0 ? null : queryOf(depth - 1)
  const expressions =
    below === null
      ? fc.constant([])
      : fc.uniqueArray(fc.record({ name, query: below }), { maxLength: 2, selector: one => one.name })
  const member = fc.record({
    with: expressions,
    from: below === null ? name : fc.oneof({ weight: 3, arbitrary: name }, { weight: 1, arbitrary: below }),
    plus: fc.nat(3),
    set: fc.option(fc.record({ name, isSelect: fc.boolean(), not: fc.boolean() })),
  })
  return fc.record({ members: fc.array(member, { minLength: 1, maxLength: 2 }) })
}

/** With `t` for every name that has no meaning where it is. `known`: names of the nodes and the pipe that may be read there. */
const settle = ({ members }: Query, known: readonly string[]): Query => {
  const first = members[0]!
  return {
    members: members.map(member => {
      const own = (member.with.length === 0 ? first : member).with.map(one => one.name)
      return settleMember(member, [...known, ...own])
    }),
  }
}

const settleMember = (member: Member, known: readonly string[]): Member => {
  const toKnown = (wanted: string): string => (wanted in TABLES || known.includes(wanted) ? wanted : 't')
  const { from, set } = member
  return {
    ...member,
    // Names known only through the expression itself are not known in it.
    with: member.with.map(one => ({ ...one, query: settle(one.query, withoutOne(known, one.name)) })),
    from: typeof from === 'string' ? toKnown(from) : settle(from, known),
    set: set === null ? null : { ...set, name: toKnown(set.name) },
  }
}

const withoutOne = (names: readonly string[], taken: string): readonly string[] =>
  names.filter((_, index) => index !== names.lastIndexOf(taken))

const write = ({ members }: Query): string => members.map(writeMember).join(' UNION ALL ')

const writeMember = ({ with: expressions, from, plus, set }: Member): string => {
  const before = expressions.map(one => `${one.name} AS (${write(one.query)})`)
  const source = typeof from === 'string' ? from : `(${write(from)})`
  const text = `SELECT x + ${plus} AS x FROM ${source}`
  return `${before.length === 0 ? '' : `WITH ${before.join(', ')} `}${text}${set === null ? '' : writeSet(set)}`
}

const writeSet = ({ name: table, isSelect, not }: NonNullable<Member['set']>): string =>
  ` WHERE x ${not ? 'NOT ' : ''}IN ${isSelect ? `(SELECT x FROM ${table})` : table}`

type Rows = readonly number[]
type Scope = (name: string) => Rows

/** A WITH as in ClickHouse: all of its expressions see each other, but not themselves. `busy`: those being resolved. */
const within = (expressions: readonly Expression[], outer: Scope, depth: { ways: number }): Scope => {
  const scopeFor = (hidden: string | null): Scope => {
    const scope: Scope = wanted => {
      const found = expressions.find(one => one.name === wanted && one.name !== hidden)
      if (found === undefined) return outer(wanted)
      // Two that read each other have no meaning.
      if (++depth.ways > 500) throw new Endless()
      return evaluate(found.query, scopeFor(found.name), depth)
    }
    return scope
  }
  return scopeFor(null)
}

class Endless extends Error {}

const evaluate = ({ members }: Query, outer: Scope, depth: { ways: number }): Rows => {
  const rows = members.flatMap(member => {
    // The WITH of the first also applies to those without one.
    const scope = within((member.with.length === 0 ? members[0]! : member).with, outer, depth)
    const { from, plus, set } = member
    const source = typeof from === 'string' ? scope(from) : evaluate(from, scope, depth)
    const found = set === null ? null : new Set(scope(set.name))
    // The set is compared with the sum: the alias is nearer than the column.
    return source.map(x => x + plus).filter(x => found === null || found.has(x) !== set!.not)
  })
  if (rows.length > 1000) throw new Endless()
  return rows
}

let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
  for (const [table, rows] of Object.entries(TABLES)) {
    await scene.dataSource(table, { x: 'Int64' })
    const query = `SELECT arrayJoin([${rows}])::Int64 AS x`
    expect(await scene.run({ query, datasource: table })).toMatchObject({ status: 'completed' })
  }
})
afterAll(() => scene?.stop())

test('a name means what it means where it is written, even if other things have the same name', async () => {
  let compared = 0
  await fc.assert(
    fc.asyncProperty(fc.tuple(queryOf(1), queryOf(1), queryOf(2)), queryOf(2), async (given, givenAsked) => {
      const queries = given.map((query, index) => settle(query, NODES.slice(0, index)))
      const asked = settle(givenAsked, ['p'])
      const pipe = toPipe(queries)
      const expected = tryToEvaluate(queries, asked)
      fc.pre(expected !== null)
      const catalogue: Catalogue = { version: 1, dataSources: [], pipes: [pipe] }
      const select = await scene.warehouse.bindSelect({ workspace: WORKSPACE, sql: write(asked), parameters: {} })
      const sql = await compileQuery(scene.data, { workspace: WORKSPACE, catalogue, select, others: new Map() }).catch(
        unlessTooMuch,
      )
      const rows = await scene.rows<{ x: string }>(`SELECT x FROM (${sql})`)
      expect(rows.map(({ x }) => Number(x)).sort(byValue)).toEqual([...expected!].sort(byValue))
      compared += 1
    }),
    { numRuns: 80 },
  )
  expect(compared).toBeGreaterThanOrEqual(80)
}, 180_000)

/** Reading more than a statement may is refused, whatever the names mean. */
const unlessTooMuch = (error: Error): never => {
  fc.pre(!error.message.includes('It reads tables more than'))
  throw error
}

const byValue = (a: number, b: number): number => a - b

const toPipe = (queries: readonly Query[]): Pipe => ({
  id: 't_p',
  name: 'p',
  description: null,
  nodes: queries.map((query, index) => ({
    name: NODES[index]!,
    sql: write(query),
    role: { type: 'plain' },
    reads: [...Object.keys(TABLES), ...NODES.slice(0, index)],
    source: null,
  })),
  createdAt: 0,
  updatedAt: 0,
})

const tryToEvaluate = (queries: readonly Query[], asked: Query): Rows | null => {
  const depth = { ways: 0 }
  const table: Scope = wanted => TABLES[wanted] ?? TABLES.t!
  const nodeScope =
    (before: number): Scope =>
    wanted => {
      const index = NODES.findIndex((other, at) => other === wanted && at < before)
      return index === -1 ? table(wanted) : evaluate(queries[index]!, nodeScope(index), depth)
    }
  const last = queries.length - 1
  try {
    return evaluate(
      asked,
      wanted => (wanted === 'p' ? evaluate(queries[last]!, nodeScope(last), depth) : table(wanted)),
      depth,
    )
  } catch (error) {
    if (error instanceof Endless) return null
    throw error
  }
}
