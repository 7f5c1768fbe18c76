import Type from 'typebox'
import { nullableTimestamp, toTimestamp } from '../../kernel/clock.ts'
import { type FieldError, invalidField, MillraceError, refuseFields } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { ROLE_SCOPES, type Scope } from '../../model/scopes.ts'
import type { Store, Token } from '../../store/store.ts'
import type { App } from '../app.ts'
import type { Caller } from '../auth/caller.ts'
import { type Callers, hashToken, scopesOf } from '../auth/callers.ts'
import { newToken } from '../auth/tokens.ts'
import { SMALL_BODY } from '../bodies/json-body.ts'
import type { LiveStreams } from '../live-streams.ts'
import { NewToken, TokenBody, TokenList, TokenPath } from '../schemas/token.ts'
import type { Services } from '../services.ts'
import { readTime } from '../time.ts'

type Dependencies = Services & { readonly callers: Callers; readonly streams: LiveStreams }

/** Tokens: shown only when created, invalid as soon as they are deleted. */
export const tokenRoutes = (app: App, { store, clock, callers, streams }: Dependencies): void => {
  app.post(
    '/v1/tokens',
    {
      schema: {
        tags: ['Access'],
        summary: 'Create a token',
        description: 'With a role or with scopes. The token is shown only in this response.',
        body: TokenBody,
        response: { 201: NewToken },
      },
      config: { secretAnswer: true },
      bodyLimit: SMALL_BODY,
    },
    async (request, reply) => {
      const { name, role, scopes, expires_at } = request.body
      const wanted = wantedScopes({ role, scopes })
      requireHeld(request.caller, wanted)
      const token = newToken()
      const made = await store.createToken({
        id: newId(),
        workspace: await chooseWorkspace(store, { caller: request.caller, asked: request.body.workspace }),
        name,
        role: role ?? null,
        scopes: wanted,
        hash: hashToken(token),
        expiresAt: readExpiry(expires_at, clock.now()),
      })
      return reply.code(201).send({
        token_id: made.id,
        token,
        name: made.name,
        workspace: made.workspace,
        expires_at: nullableTimestamp(made.expiresAt),
      })
    },
  )

  app.get(
    '/v1/tokens',
    { schema: { tags: ['Access'], summary: 'List the tokens of the workspace', response: { 200: TokenList } } },
    async request => ({ tokens: (await store.listTokens({ workspace: request.caller.workspace })).map(viewToken) }),
  )

  app.delete(
    '/v1/tokens/:token_id',
    {
      schema: {
        tags: ['Access'],
        summary: 'Delete a token',
        description: 'It stops working at once, and its streams are closed.',
        params: TokenPath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const tokenId = request.params.token_id
      const deleted = await store.deleteToken({ workspace: request.caller.workspace, tokenId })
      if (!deleted) throw new MillraceError('not_found', `There is no token ${tokenId}.`)
      callers.forget(tokenId)
      await streams.check()
      return reply.code(204).send(null)
    },
  )
}

const viewToken = (token: Token) => ({
  token_id: token.id,
  name: token.name,
  workspace: token.workspace,
  role: token.role,
  scopes: [...scopesOf(token)],
  created_at: toTimestamp(token.createdAt),
  expires_at: nullableTimestamp(token.expiresAt),
})

type Wanted = { readonly role: keyof typeof ROLE_SCOPES | undefined; readonly scopes: readonly Scope[] | undefined }

const wantedScopes = ({ role, scopes }: Wanted): readonly Scope[] => {
  if (role !== undefined && scopes === undefined) return ROLE_SCOPES[role]
  if (role === undefined && scopes !== undefined) return [...new Set(scopes)]
  throw invalidField('role', 'is required, or scopes instead, but not both')
}

/** Nobody can grant a scope that they lack. */
const requireHeld = (caller: Caller, wanted: readonly Scope[]): void => {
  const lacking = wanted.filter(scope => !caller.scopes.includes(scope))
  if (lacking.length > 0)
    throw new MillraceError('forbidden', `The token cannot grant what it lacks: ${lacking.join(', ')}.`)
}

/** Only callers who may create workspaces can create tokens for other workspaces. */
const chooseWorkspace = async (store: Store, { caller, asked }: { caller: Caller; asked: string | undefined }) => {
  if (asked === undefined || asked === caller.workspace) return caller.workspace
  const workspaces = await store.listWorkspaces()
  const found = workspaces.find(({ id, name }) => id === asked || name === asked)
  if (found?.id === caller.workspace) return found.id
  if (!caller.scopes.includes('workspaces:write'))
    throw new MillraceError('forbidden', 'The token lacks the scope workspaces:write.')
  if (!found) throw invalidField('workspace', 'must be the id or name of a workspace')
  return found.id
}

const readExpiry = (text: string | null | undefined, now: number): number | null => {
  const errors: FieldError[] = []
  const expiresAt = readTime({ path: 'expires_at', text, errors })
  if (expiresAt !== null && expiresAt <= now) errors.push({ path: 'expires_at', message: 'must be in the future' })
  refuseFields(errors)
  return expiresAt
}
