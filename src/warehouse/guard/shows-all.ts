import { tokenize } from './sql-tokens.ts'
import { everyNode, type SyntaxNode } from './syntax-tree.ts'

/**
 * Whether the tree that `EXPLAIN AST` prints of SQL shows all of its expressions. Of what stands before `.*` it shows names alone:
 * `tuple(file('/etc/passwd')).*` is printed as `*`. This engine forgets that as well; what another would make of it, nobody has judged.
 * `sql`: as the engine prints it.
 */
export const showsAll = (sql: string, tree: SyntaxNode): boolean =>
  tokenize(sql).filter(({ text, start }) => isMatcher(text) && sql[start - 1] === '.').length ===
  everyNode(tree).filter(({ kind }) => kind.startsWith('Qualified')).length

const isMatcher = (text: string): boolean => text === '*' || text === 'COLUMNS'
