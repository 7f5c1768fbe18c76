import type { FunctionRules } from './function-catalogue.ts'
import { IN_FUNCTION } from './named-tables.ts'
import { shownName } from './shown-name.ts'
import { everyNode, type SyntaxNode } from './syntax-tree.ts'

export type TreeRules = {
  /** The only database that may qualify a table name. */
  readonly database: string
  readonly functions: FunctionRules
}

/** Why a user's query is refused, as a sentence; null: it may run. */
export const judgeSelect = (root: SyntaxNode, rules: TreeRules): string | null => {
  if (root.kind !== 'SelectWithUnionQuery') return 'Only a SELECT may run here.'
  if (root.children.length !== 1)
    return 'FORMAT, INTO OUTFILE and SETTINGS are not allowed: the format is a field of the job.'
  return judgeNodes(root, rules)
}

/** The same for `SELECT <expression>`, whose expression will be part of one of our statements: nothing else may be in it. */
export const judgeExpression = (root: SyntaxNode, rules: TreeRules): string | null => {
  const select = onlyChild(onlyChild(root))
  const isOne = root.kind === 'SelectWithUnionQuery' && select?.kind === 'SelectQuery' && onlyChild(onlyChild(select))
  if (!isOne) return 'Only one expression may stand here.'
  return (
    everyNode(root)
      .map(judgeInExpression)
      .find(fault => fault !== null) ?? judgeNodes(root, rules)
  )
}

/** Functions whose value differs from call to call, or depends on the order in which rows are read: two statements would disagree on it. */
const BY_CHANCE = /^(rand|canonicalRand|generate|rowNumberIn|blockNumber|running(Difference|Accumulate)|neighbor)/i

const judgeInExpression = ({ kind, text, alias }: SyntaxNode): string | null => {
  if (kind === 'Subquery') return 'An expression may not hold a query.'
  // The alias would hide a column of that name in the whole statement.
  if (alias !== null) return `An expression may not give names (AS ${shownName(alias)}).`
  return kind === 'Function' && BY_CHANCE.test(text)
    ? `The function ${shownName(text)} is not allowed in an expression: it has to be the same whenever it is asked.`
    : null
}

const onlyChild = (node: SyntaxNode | undefined): SyntaxNode | undefined =>
  node?.children.length === 1 ? node.children[0] : undefined

const judgeNodes = (root: SyntaxNode, rules: TreeRules): string | null => {
  const nodes = everyNode(root)
  for (const node of nodes) {
    const fault = judgeNode(node, rules) ?? judgeChildren(node, rules)
    if (fault !== null) return fault
  }
  return judgeLambdas(nodes, rules)
}

/**
 * A lambda named like a function would replace it in everything that the query reads, including SQL written by others (`WITH x -> 'me' AS lower SELECT … FROM
 * pipe`).
 */
const judgeLambdas = (nodes: readonly SyntaxNode[], { functions }: TreeRules): string | null => {
  const lambdas = new Set<string>()
  const aliasesOf = new Map<string, string[]>()
  for (const { kind, text, alias } of nodes) {
    if (alias === null) continue
    if (kind === 'Function' && text === 'lambda') lambdas.add(alias)
    if (kind !== 'Identifier') continue
    const aliases = aliasesOf.get(text)
    if (aliases === undefined) aliasesOf.set(text, [alias])
    else aliases.push(alias)
  }
  // Follows chains of aliases (`f AS g`): the loop also visits names added meanwhile.
  for (const name of lambdas) for (const alias of aliasesOf.get(name) ?? []) lambdas.add(alias)
  const taken = [...lambdas].find(functions.mayCall)
  return taken === undefined ? null : `There is a function ${shownName(taken)}: rename the lambda.`
}

/**
 * The node kinds of a SELECT whose content the printed tree shows completely. Excluded are `Set` (SETTINGS) and `ColumnsApplyTransformer`, whose function the
 * tree does not show.
 */
const KINDS: ReadonlySet<string> = new Set([
  'SelectWithUnionQuery',
  'SelectIntersectExceptQuery',
  'SelectQuery',
  'Subquery',
  'WithElement',
  'ExpressionList',
  'Function',
  'Identifier',
  'Literal',
  'Asterisk',
  'QualifiedAsterisk',
  'ColumnsListMatcher',
  'ColumnsRegexpMatcher',
  'QualifiedColumnsListMatcher',
  'QualifiedColumnsRegexpMatcher',
  'ColumnsTransformerList',
  'ColumnsExceptTransformer',
  'ColumnsReplaceTransformer',
  'ColumnsReplaceTransformer::Replacement',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'TableExpression',
  'TableIdentifier',
  'TableJoin',
  'ArrayJoin',
  'SampleRatio',
  'OrderByElement',
  'InterpolateElement',
  'WindowDefinition',
  'WindowListElement',
])

const REFUSED_KINDS: Readonly<Record<string, string>> = {
  Set: 'SETTINGS is not allowed in a query.',
  ColumnsApplyTransformer: 'APPLY is not allowed: call the function on the columns by name.',
}

const judgeNode = (node: SyntaxNode, { database, functions }: TreeRules): string | null => {
  if (!KINDS.has(node.kind))
    return REFUSED_KINDS[node.kind] ?? `What the engine calls ${node.kind} is not allowed in a query.`
  if (node.kind === 'TableIdentifier') return judgeTable(node.text, database)
  if (node.kind === 'Identifier') return judgeName(node.text, database)
  // Table functions are recognized by their position, and judged in `judgeChildren`.
  if (node.kind === 'Function' && !functions.mayCall(node.text) && !TABLE_FUNCTIONS.has(node.text))
    return refusedFunction(node.text, functions)
  return null
}

/** A misspelt function is reported as unknown, not as forbidden. */
const refusedFunction = (name: string, functions: FunctionRules): string => {
  if (functions.isRefused(name)) return `The function ${shownName(name)} is not allowed in a query.`
  const like = functions.like(name)
  return `There is no function ${shownName(name)}.${like.length === 0 ? '' : ` Maybe you meant ${like.join(' or ')}?`}`
}

/** Names are printed without quotes, so one that contains a dot counts as a table of another database. */
const judgeTable = (name: string, database: string): string | null => {
  const [first, ...rest] = name.split('.')
  return rest.length === 0 || (first === database && rest.length === 1)
    ? null
    : `The table ${shownName(name)} is not of this workspace.`
}

/** The databases of every engine. The workspace's user cannot read any other database of a server. */
const SYSTEM_DATABASE = /^(system|information_schema|default|_temporary_and_external_tables)$/i

/** An identifier may also name a table (`x IN system.one`, `in(x, system.one)`), possibly through an alias. */
const judgeName = (name: string, database: string): string | null => {
  const parts = name.split('.')
  return parts.length > 1 && SYSTEM_DATABASE.test(parts[0]!) && parts[0] !== database
    ? `The table ${shownName(name)} is not of this workspace. (A column ${shownName(name)}: write it with its table's name.)`
    : null
}

/**
 * Table functions that compute rows from their arguments. The list is short on purpose: `format`, `values`, `generateRandom` and `null` take a structure that
 * is code in a string (`'x String ALIAS file(\'/etc/passwd\')'` is executed), invisible in the tree.
 */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  'numbers',
  'numbers_mt',
  'zeros',
  'zeros_mt',
  'primes',
  'generateSeries',
  'generate_series',
  'view',
])

/** All higher-order functions have these prefixes. `arrayMap(file, ['/etc/passwd'])` calls a function without a call in the tree. */
export const TAKES_FUNCTIONS = /^(array|map)/i

/** Functions whose first argument is the name of an aggregate function, as text. */
const NAMES_AGGREGATE = /^(arrayReduce|arrayReduceInRanges|initializeAggregation)$/i

/** Judges what depends on a child's position: a table function, the right side of IN, a function passed as a value. */
const judgeChildren = (node: SyntaxNode, { database, functions }: TreeRules): string | null => {
  if (node.kind === 'TableExpression') {
    const call = node.children.find(child => child.kind === 'Function')
    return call === undefined || TABLE_FUNCTIONS.has(call.text)
      ? null
      : `The table function ${shownName(call.text)} is not allowed in a query.`
  }
  if (node.kind !== 'Function') return null
  const names = (node.children[0]?.children ?? []).map(child => (child.kind === 'Identifier' ? child.text : null))
  if (IN_FUNCTION.test(node.text) && names[1] != null) return judgeTable(names[1], database)
  if (NAMES_AGGREGATE.test(node.text)) return judgeAggregate(node, functions)
  const passed = TAKES_FUNCTIONS.test(node.text) ? names.find(name => name !== null && functions.isRefused(name)) : null
  return passed == null
    ? null
    : `The function ${shownName(passed)} is not allowed in a query. (A column ${shownName(passed)}: write it with its table's name.)`
}

const judgeAggregate = (node: SyntaxNode, functions: FunctionRules): string | null => {
  const given = node.children[0]?.children[0]
  const name = given?.kind === 'Literal' ? /^'(\w+)/.exec(given.text)?.[1] : undefined
  if (name === undefined) return `${node.text} takes the name of its aggregate function as a text that stands there.`
  return functions.mayCall(name) ? null : refusedFunction(name, functions)
}
