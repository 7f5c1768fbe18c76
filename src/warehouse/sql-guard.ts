import { type BoundSelect, outerNames } from '../model/bound-select.ts'
import { bindNames, markNames, searchNames } from './guard/bind-names.ts'
import { createEngineParser, type LookAtSql } from './guard/engine-parser.ts'
import { allowFunctions, CATALOGUE_SQL, type EngineFunction, type FunctionRules } from './guard/function-catalogue.ts'
import { judgeExpression, judgeSelect, type TreeRules } from './guard/judge-tree.ts'
import { mixesStates } from './guard/mixes-states.ts'
import { parameterFaults } from './guard/parameter-fault.ts'
import { findQueryParameters, withIdentifiers, withNullParameters } from './guard/query-parameters.ts'
import { readTables, type TablesRead } from './guard/read-tables.ts'
import { refusal } from './guard/refusal.ts'
import { shownName } from './guard/shown-name.ts'
import { showsAll } from './guard/shows-all.ts'
import type { SyntaxNode } from './guard/syntax-tree.ts'
import { withoutPrefix } from './guard/without-prefix.ts'
import { remember } from './remember.ts'
import { nullOfSqlError, WarehouseError } from './warehouse.ts'

type GuardInput = {
  /** A user's text. */
  readonly sql: string
  readonly parameters?: Readonly<Record<string, unknown>>
}

/** Lets SQL of users through that only reads, only tables of their workspace, and calls only what computes. */
export interface SqlGuard {
  /** One SELECT, as the text that may run. Throws `WarehouseError('sql_error')` that says what is wrong, with the position where the text does not parse. */
  checkSelect(input: GuardInput): Promise<string>
  /** One expression without sub-queries, to stand in a statement of ours (a sorting key, a condition). Throws as `checkSelect`. */
  checkExpression(input: GuardInput): Promise<string>
  /**
   * A SELECT that is to be kept: as the engine's parser prints it, and what it names as tables. Its parameters need no values; none may stand for a
   * name, and no table may be named with a database. Throws as `checkSelect`.
   */
  inspectSelect(input: { readonly sql: string }): Promise<InspectedSelect>
  /**
   * Where names in a SELECT mean tables. It is not judged: `checkSelect` is still to come. Parameters need no values where none stands for a
   * name. Throws as `checkSelect`, also for the server's own tables.
   */
  bindSelect(input: GuardInput): Promise<BoundSelect>
}

export type InspectedSelect = TablesRead & {
  readonly sql: string
  /** See `mixesStates`. */
  readonly mixesStates: boolean
}

type GuardOptions = { readonly database: string; readonly rows: LookAtSql }

const BEFORE_EXPRESSION = 'SELECT '

/** The guard of one workspace. */
export const createSqlGuard = ({ database, rows }: GuardOptions): SqlGuard => {
  const { format, parse } = createEngineParser(rows)
  let catalogue: Promise<FunctionRules> | null = null
  const functions = (): Promise<FunctionRules> => {
    catalogue ??= rows<EngineFunction>({ sql: CATALOGUE_SQL, parameters: {} }).then(allowFunctions)
    catalogue.catch(() => {
      catalogue = null
    })
    return catalogue
  }

  /** `tree` is that of `sql`. */
  const check = async (
    sql: string,
    tree: SyntaxNode,
    judge: (tree: SyntaxNode, rules: TreeRules) => string | null,
  ): Promise<void> => {
    if (!showsAll(sql, tree)) throw refusal('Only the name of a table may stand before .* and .COLUMNS in a query.')
    const fault = judge(tree, { database, functions: await functions() })
    if (fault !== null) throw refusal(fault)
  }

  const bind = async (
    sql: string,
    tree: SyntaxNode,
    parseText: (text: string) => Promise<SyntaxNode>,
  ): Promise<BoundSelect> => {
    const search = searchNames(sql, tree)
    const tryMarks = (places: typeof search.places): Promise<SyntaxNode | null> =>
      parseText(markNames(search, places)).catch(nullOfSqlError)
    let { places } = search
    let marked = await tryMarks(places)
    if (marked === null) {
      // One of them is a keyword here that some table is called by.
      const trees: (SyntaxNode | null)[] = []
      for (const place of places) trees.push(await tryMarks([place]))
      places = places.filter((_, index) => trees[index] !== null)
      marked = await tryMarks(places)
    }
    const found = marked === null ? null : bindNames(search, places, marked)
    if (found === null)
      throw refusal('It is unclear which names in the SQL are tables: use simpler names for tables and expressions.')
    const own = outerNames(found).find(({ name }) => /(^|\.)c__/.test(name))
    if (own !== undefined)
      throw refusal(
        `The table ${shownName(own.name)} cannot be read: names that begin with c__ are of the server itself.`,
      )
    return found
  }

  // A verdict depends on text and parameters alone: neither data nor tables are looked at.
  const passed = new Map<string, string>()
  const bound = new Map<string, BoundSelect>()

  return {
    async checkSelect({ sql, parameters = {} }) {
      const key = JSON.stringify([sql, parameters])
      const known = passed.get(key)
      if (known !== undefined) return known
      const [wrong] = parameterFaults(sql, parameters)
      if (wrong !== undefined) throw refusal(`The parameter ${wrong.name} ${wrong.message}.`)
      const formatted = await format(sql)
      // As a sub-query nothing but a SELECT parses, and no FORMAT, INTO OUTFILE or SETTINGS of its own.
      const subquery = asSubquery(formatted)
      await check(subquery, await parse(subquery, parameters).catch(toNoSelect(formatted)), judgeSelect)
      // The very text that runs is judged as well. It has no SELECT * of ours, to which two columns of one name are the first of them both
      // (SELECT *, upper(name) AS name).
      const runs = `(\n${formatted}\n)`
      await check(runs, await parse(runs, parameters), judgeSelect)
      remember(passed, key, runs)
      return runs
    },
    async inspectSelect({ sql }) {
      const formatted = await format(sql)
      if (findQueryParameters(formatted).some(({ type }) => type === 'Identifier'))
        throw refusal('A parameter of a node may not stand for a name ({name:Identifier}).')
      const tree = await parse(asSubquery(withNullParameters(formatted)), {}).catch(toNoSelect(formatted))
      await check(formatted, tree, judgeSelect)
      const bound = await bind(formatted, tree, text => parse(asSubquery(withNullParameters(text)), {}))
      const read = readTables(tree, bound)
      const qualified = read.tables.find(name => name.includes('.'))
      if (qualified !== undefined) throw refusal(`Name the table ${shownName(qualified)} without its database here.`)
      return { sql: formatted, ...read, mixesStates: mixesStates(tree, await functions()) }
    },
    async bindSelect({ sql, parameters }) {
      const known = parameters === undefined ? bound.get(sql) : undefined
      if (known !== undefined) return known
      const text = withIdentifiers(await format(sql), parameters ?? {})
      const parseText = (of: string): Promise<SyntaxNode> =>
        parse(asSubquery(parameters === undefined ? withNullParameters(of) : of), parameters ?? {})
      const found = await bind(text, await parseText(text).catch(toNoSelect(text)), parseText)
      if (parameters === undefined) remember(bound, sql, found)
      return found
    },
    async checkExpression({ sql, parameters = {} }) {
      const formatted = await format(`${BEFORE_EXPRESSION}${sql}`).catch(error => {
        throw withoutPrefix(error, BEFORE_EXPRESSION)
      })
      await check(formatted, await parse(formatted, parameters), judgeExpression)
      const expression = formatted.slice('SELECT'.length).trim()
      // What the tree does not show (DISTINCT, GROUP BY ALL, WITH TOTALS) does not parse there.
      await parse(`SELECT (${expression})`, parameters).catch(toNoExpression)
      return expression
    },
  }
}

const asSubquery = (formatted: string): string => `SELECT * FROM (\n${formatted}\n)`

const toNoExpression = (error: unknown): never => {
  if (error instanceof WarehouseError && error.message.startsWith('Syntax error'))
    throw refusal('Only one expression may stand here.')
  throw error
}

const toNoSelect =
  (formatted: string) =>
  (error: unknown): never => {
    if (!(error instanceof WarehouseError) || !error.message.startsWith('Syntax error')) throw error
    const [word = ''] = /^[A-Z]+/.exec(formatted) ?? []
    throw refusal(
      BEGINS_SELECT.has(word)
        ? 'A query ends without FORMAT and INTO OUTFILE here: the format is a field of the job.'
        : `Only a SELECT may run here, and this is a statement that begins with ${word}.`,
    )
  }

/** A bracket is none. */
const BEGINS_SELECT: ReadonlySet<string> = new Set(['SELECT', 'WITH', 'FROM', ''])
