import { tokenize } from './sql-tokens.ts'
import { everyNode, type SyntaxNode } from './syntax-tree.ts'

/**
 * Whether the tree that `EXPLAIN AST` prints of SQL shows all of its expressions. Of what stands before `.*` it shows names alone:
 * `tuple(file('/etc/passwd')).*` is printed as `*`. This engine forgets that as well; what another would make of it, nobody has judged.
 * `sql`: as the engine prints it.
 */
export const showsAll = (sql: string, tree: SyntaxNode): boolean => {
  const tokens = tokenize(sql)
  // COLUMNS alone is a column, or a table, of that name.
  const isMatcher = (text: string, next: string | undefined): boolean =>
    text === '*' || (text === 'COLUMNS' && next === '(')
  return (
    tokens.filter(({ text, start }, at) => sql[start - 1] === '.' && isMatcher(text, tokens[at + 1]?.text)).length ===
    everyNode(tree).filter(({ kind }) => kind.startsWith('Qualified')).length
  )
}
