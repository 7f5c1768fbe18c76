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
  /** Written by a user. */
  readonly sql: string
  readonly parameters?: Readonly<Record<string, unknown>>
}

/** Approves users' SQL that only reads, only from tables of their workspace, and only calls functions without side effects. */
export interface SqlGuard {
  /** Approves one SELECT and returns the text to run. Throws `WarehouseError('sql_error')` that says what is wrong, with the position of a syntax error. */
  checkSelect(input: GuardInput): Promise<string>
  /** Approves one expression without sub-queries, for use in one of our statements (a sorting key, a condition). Throws as `checkSelect` does. */
  checkExpression(input: GuardInput): Promise<string>
  /**
   * Approves a SELECT to be stored; returns it as the engine prints it, and the tables it names. Its parameters need no values, but may not stand for names.
   * Tables may not be qualified with a database. Throws as `checkSelect` does.
   */
  inspectSelect(input: { readonly sql: string }): Promise<InspectedSelect>
  /**
   * Finds where names in a SELECT mean tables. Does not approve it: `checkSelect` must follow. Parameters need no values unless one stands for a name. Throws
   * as `checkSelect` does, and for the server's own tables.
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

/** Creates the guard of one workspace. */
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

  /** `tree` is the tree of `sql`. */
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
      // Some table has a name that is a keyword in one of these places. Try each place alone, and keep those that parse.
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

  // A verdict depends only on the text and the parameters, never on data or tables.
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
      // Only a SELECT parses as a sub-query, and only without FORMAT, INTO OUTFILE and SETTINGS.
      const subquery = asSubquery(formatted)
      await check(subquery, await parse(subquery, parameters).catch(toNoSelect(formatted)), judgeSelect)
      // The exact text that runs is judged as well. It has no outer SELECT *, which would return the first of two columns of one name twice (SELECT *,
      // upper(name) AS name).
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
      // What the tree does not show (DISTINCT, GROUP BY ALL, WITH TOTALS) does not parse inside parentheses.
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
        ? 'Leave out FORMAT and INTO OUTFILE: the field format, or --format, chooses the format.'
        : `Only a SELECT may run here, not ${word}.${INSTEAD[word] ?? ''}`,
    )
  }

/** What to do instead of other statements. */
const INSTEAD: Readonly<Record<string, string | undefined>> = {
  SHOW: ' GET /v1/datasources lists the data sources.',
  DESCRIBE: ' GET /v1/datasources/{name} shows the columns.',
  CREATE: ' POST /v1/datasources creates a data source.',
  ALTER: ' PUT /v1/datasources/{name} adds columns.',
  INSERT: ' Import the rows, or set datasource and mode of a query.',
  DELETE: ' A job of kind delete deletes rows.',
  TRUNCATE: ' POST /v1/datasources/{name}/truncate removes all rows.',
  DROP: ' DELETE /v1/datasources/{name} drops a data source.',
}

/** The empty word stands for a parenthesis. */
const BEGINS_SELECT: ReadonlySet<string> = new Set(['SELECT', 'WITH', 'FROM', ''])
