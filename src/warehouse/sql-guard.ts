import { allowFunctions, CATALOGUE_SQL, type EngineFunction, type FunctionRules } from './guard/function-catalogue.ts'
import { judgeExpression, judgeSelect, type TreeRules } from './guard/judge-tree.ts'
import { findQueryParameters, withNullParameters } from './guard/query-parameters.ts'
import { readTables, type TablesRead } from './guard/read-tables.ts'
import { readSyntaxTree, type SyntaxNode } from './guard/syntax-tree.ts'
import { WarehouseError } from './warehouse.ts'

export type GuardInput = {
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
  /** What a SELECT names as tables, and its text as the engine's parser prints it. It is not judged: `checkSelect` is still to come. Throws as `checkSelect`. */
  readSelect(input: GuardInput): Promise<InspectedSelect>
}

export type InspectedSelect = TablesRead & { readonly sql: string }

type GuardOptions = {
  readonly database: string
  /** Runs a statement, readonly where it is told so, and gives its rows. */
  readonly rows: <Row extends object>(input: {
    readonly sql: string
    readonly parameters: Readonly<Record<string, unknown>>
    readonly settings: Readonly<Record<string, number>>
  }) => Promise<readonly Row[]>
}

/** Every statement of the guard itself runs so. */
const READONLY = { readonly: 1 }

/** The guard of one workspace. */
export const createSqlGuard = ({ database, rows }: GuardOptions): SqlGuard => {
  let catalogue: Promise<FunctionRules> | null = null
  const functions = (): Promise<FunctionRules> => {
    catalogue ??= rows<EngineFunction>({ sql: CATALOGUE_SQL, parameters: {}, settings: READONLY }).then(allowFunctions)
    catalogue.catch(() => {
      catalogue = null
    })
    return catalogue
  }

  /** The text as the engine's parser understood it: comments gone, one statement. */
  const format = async (sql: string): Promise<string> => {
    const ask = (name: string) =>
      rows<{ text: string | null }>({
        sql: `SELECT ${name}({sql:String}) AS text`,
        parameters: { sql },
        settings: READONLY,
      })
    const [answer] = await ask('formatQueryOrNull')
    if (typeof answer?.text === 'string') return answer.text
    // Fails, and says where.
    await ask('formatQuery')
    throw refusal('The SQL cannot be read.')
  }

  /** Of formatted text only: EXPLAIN AST of two statements would run the second. */
  const parse = async (sql: string, parameters: Readonly<Record<string, unknown>>): Promise<SyntaxNode> => {
    const lines = await rows<{ explain: string }>({ sql: `EXPLAIN AST ${sql}`, parameters, settings: READONLY })
    const tree = readSyntaxTree(
      lines.map(({ explain }) => explain).filter((line, index) => line !== '' || index < lines.length - 1),
    )
    if (tree === null) throw refusal('A name in the SQL has a line break or is otherwise not readable.')
    return tree
  }

  const check = async (
    tree: SyntaxNode,
    judge: (tree: SyntaxNode, rules: TreeRules) => string | null,
  ): Promise<void> => {
    const fault = judge(tree, { database, functions: await functions() })
    if (fault !== null) throw refusal(fault)
  }

  const passed = new Map<string, string>()

  return {
    async checkSelect({ sql, parameters = {} }) {
      const key = JSON.stringify([sql, parameters])
      const known = passed.get(key)
      if (known !== undefined) return known
      // Judged is the very text that runs. As a sub-query nothing but a SELECT parses, and no FORMAT or INTO OUTFILE.
      const runs = asSubquery(await format(sql))
      const tree = await parse(runs, parameters).catch(toNoSelect)
      await check(tree, judgeSelect)
      remember(passed, key, runs)
      return runs
    },
    async inspectSelect({ sql }) {
      const formatted = await format(sql)
      if (findQueryParameters(formatted).some(({ type }) => type === 'Identifier'))
        throw refusal('A parameter of what is kept may not stand for a name ({name:Identifier}).')
      const judged = asSubquery(withNullParameters(formatted))
      const tree = await parse(judged, {}).catch(toNoSelect)
      await check(tree, judgeSelect)
      const read = readTables(tree)
      const qualified = read.tables.find(name => name.includes('.'))
      if (qualified !== undefined) throw refusal(`Name the table ${qualified} without its database here.`)
      return { sql: formatted, ...read }
    },
    async readSelect({ sql, parameters = {} }) {
      const formatted = await format(sql)
      return { sql: formatted, ...readTables(await parse(asSubquery(formatted), parameters).catch(toNoSelect)) }
    },
    async checkExpression({ sql, parameters = {} }) {
      const formatted = await format(`SELECT ${sql}`)
      await check(await parse(formatted, parameters), judgeExpression)
      const expression = formatted.slice('SELECT'.length).trim()
      // What the tree does not show (DISTINCT, GROUP BY ALL, WITH TOTALS) does not parse there.
      await parse(`SELECT (${expression})`, parameters).catch(toNoExpression)
      return expression
    },
  }
}

/**
 * The verdict depends on text and parameters alone: neither data nor tables are looked at. A query that comes every second
 * need not be judged every second.
 */
const remember = (passed: Map<string, string>, key: string, runs: string): void => {
  if (key.length > MAX_REMEMBERED_LENGTH) return
  passed.set(key, runs)
  if (passed.size > MAX_REMEMBERED) passed.delete(passed.keys().next().value!)
}

const MAX_REMEMBERED = 256
const MAX_REMEMBERED_LENGTH = 4_096

const refusal = (message: string): WarehouseError => new WarehouseError('sql_error', message)

const asSubquery = (formatted: string): string => `SELECT * FROM (\n${formatted}\n)`

const toNoExpression = (error: unknown): never => {
  if (error instanceof WarehouseError && error.message.startsWith('Syntax error'))
    throw refusal('Only one expression may stand here.')
  throw error
}

const toNoSelect = (error: unknown): never => {
  if (error instanceof WarehouseError && error.message.startsWith('Syntax error'))
    throw refusal('Only one SELECT may run here, without FORMAT and INTO OUTFILE: the format is a field of the job.')
  throw error
}
