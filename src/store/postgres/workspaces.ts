import type { NewToken, Token, Workspace } from '../store.ts'
import type { Statement } from './database.ts'
import type { Session } from './session.ts'

type WorkspaceRow = { readonly id: string; readonly name: string; readonly created_at: number }

const CREATE_WORKSPACE: Statement = {
  name: 'create_workspace',
  text: `
    INSERT INTO millrace.workspace (id, name, created_at)
    VALUES ($1, $2, millrace.clock($3::bigint))
    ON CONFLICT DO NOTHING
    RETURNING id, name, created_at`,
}

const toWorkspace = (row: WorkspaceRow): Workspace => ({ id: row.id, name: row.name, createdAt: row.created_at })

/** Implements `createWorkspace`. */
export const createWorkspace = async (
  session: Session,
  { id, name }: { id: string; name: string },
): Promise<Workspace | 'exists'> => {
  const [row] = await session.database.query<WorkspaceRow>(CREATE_WORKSPACE, [id, name, session.now()])
  return row ? toWorkspace(row) : 'exists'
}

const LIST_WORKSPACES: Statement = {
  name: 'list_workspaces',
  text: 'SELECT id, name, created_at FROM millrace.workspace ORDER BY created_at, id',
}

/** Implements `listWorkspaces`. */
export const listWorkspaces = async (session: Session): Promise<readonly Workspace[]> =>
  (await session.database.query<WorkspaceRow>(LIST_WORKSPACES, [])).map(toWorkspace)

type TokenRow = {
  readonly id: string
  readonly workspace: string
  readonly name: string
  readonly role: string | null
  readonly scopes: string
  readonly hash: string
  readonly created_at: number
  readonly expires_at: number | null
}

const TOKEN_COLUMNS = 'id, workspace, name, role, scopes, hash, created_at, expires_at'

const toToken = (row: TokenRow): Token => ({
  id: row.id,
  workspace: row.workspace,
  name: row.name,
  role: row.role,
  scopes: JSON.parse(row.scopes),
  hash: row.hash,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
})

const CREATE_TOKEN: Statement = {
  name: 'create_token',
  text: `
    INSERT INTO millrace.token (${TOKEN_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, millrace.clock($8::bigint), $7)
    RETURNING ${TOKEN_COLUMNS}`,
}

/** Implements `createToken`. */
export const createToken = async (session: Session, token: NewToken): Promise<Token> => {
  const { id, workspace, name, role, scopes, hash, expiresAt } = token
  const values = [id, workspace, name, role, JSON.stringify(scopes), hash, expiresAt, session.now()]
  const [row] = await session.database.query<TokenRow>(CREATE_TOKEN, values)
  return toToken(row!)
}

const FIND_TOKEN: Statement = {
  name: 'find_token',
  text: `
    SELECT ${TOKEN_COLUMNS}
    FROM millrace.token
    WHERE hash = $1 AND (expires_at IS NULL OR expires_at > millrace.clock($2::bigint))`,
}

/** Implements `findToken`. */
export const findToken = async (session: Session, { hash }: { hash: string }): Promise<Token | null> => {
  const [row] = await session.database.query<TokenRow>(FIND_TOKEN, [hash, session.now()])
  return row ? toToken(row) : null
}

const LIST_TOKENS: Statement = {
  name: 'list_tokens',
  text: `SELECT ${TOKEN_COLUMNS} FROM millrace.token WHERE workspace = $1 ORDER BY created_at, id`,
}

/** Implements `listTokens`. */
export const listTokens = async (session: Session, { workspace }: { workspace: string }): Promise<readonly Token[]> =>
  (await session.database.query<TokenRow>(LIST_TOKENS, [workspace])).map(toToken)

const DELETE_TOKEN: Statement = {
  name: 'delete_token',
  text: 'DELETE FROM millrace.token WHERE workspace = $1 AND id = $2 RETURNING 1',
}

/** Implements `deleteToken`. */
export const deleteToken = async (
  session: Session,
  { workspace, tokenId }: { workspace: string; tokenId: string },
): Promise<boolean> => (await session.database.query(DELETE_TOKEN, [workspace, tokenId])).length > 0
