import { tokenize } from './sql-tokens.ts'
import { everyNode, type SyntaxNode } from './syntax-tree.ts'

/**
 * Whether the tree printed by `EXPLAIN AST` shows all expressions of the SQL. Of an expression before `.*` it shows only names: `tuple(file('/etc/passwd')).*`
 * is printed as `*`. This engine also drops the expression when it runs; another might not, and would run what nobody has judged.
 * `sql`: as the engine prints it.
 */
export const showsAll = (sql: string, tree: SyntaxNode): boolean => {
  const tokens = tokenize(sql)
  // COLUMNS without a parenthesis is a column or table of that name.
  const isMatcher = (text: string, next: string | undefined): boolean =>
    text === '*' || (text === 'COLUMNS' && next === '(')
  return (
    tokens.filter(({ text, start }, at) => sql[start - 1] === '.' && isMatcher(text, tokens[at + 1]?.text)).length ===
    everyNode(tree).filter(({ kind }) => kind.startsWith('Qualified')).length
  )
}
