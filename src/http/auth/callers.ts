import { hash } from 'node:crypto'
import type { JobTokens } from '../../engine/engine.ts'
import type { Clock } from '../../kernel/clock.ts'
import { isScope, ROLE_SCOPES, type Role, SCOPES, type Scope } from '../../model/scopes.ts'
import type { Store, Token } from '../../store/store.ts'
import type { Caller } from './caller.ts'

/** Tokens are stored as their SHA-256. They are random, so they need neither salt nor a slow hash. */
export const hashToken = (text: string): string => hash('sha256', text, 'hex')

/** How long a valid token is cached: other servers may delete it meanwhile. */
const BELIEVED_MS = 5000
const MOST_BELIEVED = 10_000

type Believed = { readonly caller: Caller; readonly expiresAt: number; readonly until: number }

/** Finds the caller of a token. */
export type Callers = {
  /** The token's caller if it is cached; null: ask the store. */
  known(text: string): Caller | null
  /** The token's caller; null if the token is not valid. */
  find(text: string): Promise<Caller | null>
  /** Removes a deleted token from the cache, so that it stops working at once. */
  forget(tokenId: string): void
}

/** Finds callers by their tokens. Caches valid tokens for a short time, invalid ones never. */
export const createCallers = (parts: { store: Store; jobTokens: JobTokens; clock: Clock }): Callers => {
  const { store, jobTokens, clock } = parts
  const believed = new Map<string, Believed>()

  const known = (text: string): Caller | null => {
    const key = hashToken(text)
    const entry = believed.get(key)
    if (entry === undefined) return null
    if (clock.monotonic() < entry.until && clock.now() < entry.expiresAt) return entry.caller
    believed.delete(key)
    return null
  }

  const findToken = async (text: string): Promise<Caller | null> => {
    const key = hashToken(text)
    const token = await store.findToken({ hash: key })
    if (token === null) return null
    const caller = { workspace: token.workspace, scopes: scopesOf(token), tokenId: token.id, job: null }
    const expiresAt = token.expiresAt ?? Number.POSITIVE_INFINITY
    if (clock.now() >= expiresAt) return null
    if (believed.size >= MOST_BELIEVED) believed.clear()
    believed.set(key, { caller, expiresAt, until: clock.monotonic() + BELIEVED_MS })
    return caller
  }

  const findJob = async (text: string): Promise<Caller | null> => {
    const job = await jobTokens.verify(text)
    if (job === null) return null
    return {
      workspace: job.workspace,
      scopes: job.scopes,
      tokenId: null,
      job: { jobId: job.jobId, attempt: job.attempt },
    }
  }

  return {
    known,
    find: text => (jobTokens.looksLike(text) ? findJob(text) : findToken(text)),
    forget: tokenId => {
      for (const [key, entry] of believed) if (entry.caller.tokenId === tokenId) believed.delete(key)
    },
  }
}

/** The role of the admin token: everything, including workspaces. The API never assigns it to another token. */
export const INSTANCE_ADMIN = 'instance_admin'

/** A role grants what the table says today. A token created with scopes keeps exactly those. */
export const scopesOf = ({ role, scopes }: Pick<Token, 'role' | 'scopes'>): readonly Scope[] => {
  if (role === INSTANCE_ADMIN) return SCOPES
  return role !== null && Object.hasOwn(ROLE_SCOPES, role) ? ROLE_SCOPES[role as Role] : scopes.filter(isScope)
}
