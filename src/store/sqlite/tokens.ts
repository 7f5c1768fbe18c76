import type { NewToken, Token } from '../store.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export const createToken = ({ db, now }: Writer, token: NewToken): Token => {
  const { id, workspace, name, role, scopes, hash, expiresAt } = token
  db.run(
    'INSERT INTO token (id, workspace, name, role, scopes, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    id,
    workspace,
    name,
    role,
    JSON.stringify(scopes),
    hash,
    now,
    expiresAt,
  )
  return { ...token, createdAt: now }
}

type TokenRow = [
  id: string,
  workspace: string,
  name: string,
  role: string | null,
  scopes: string,
  hash: string,
  createdAt: number,
  expiresAt: number | null,
]

const TOKEN_SQL = 'SELECT id, workspace, name, role, scopes, hash, created_at, expires_at FROM token'

const decode = ([id, workspace, name, role, scopes, hash, createdAt, expiresAt]: TokenRow): Token => ({
  id,
  workspace,
  name,
  role,
  scopes: JSON.parse(scopes),
  hash,
  createdAt,
  expiresAt,
})

export const findToken = ({ db, now }: Reader, { hash }: { hash: string }): Token | null => {
  const row = db.get<TokenRow>(`${TOKEN_SQL} WHERE hash = ? AND (expires_at IS NULL OR expires_at > ?)`, hash, now)
  return row ? decode(row) : null
}

export const listTokens = ({ db }: Reader, { workspace }: { workspace: string }): Token[] =>
  db.all<TokenRow>(`${TOKEN_SQL} WHERE workspace = ? ORDER BY created_at, id`, workspace).map(decode)

export const deleteToken = ({ db }: Writer, { workspace, tokenId }: { workspace: string; tokenId: string }): boolean =>
  db.run('DELETE FROM token WHERE id = ? AND workspace = ?', tokenId, workspace) > 0
