import { hash } from 'node:crypto'
import type { JobTokens } from '../../engine/engine.ts'
import type { Clock } from '../../kernel/clock.ts'
import { isScope, ROLE_SCOPES, type Role, SCOPES, type Scope } from '../../model/scopes.ts'
import type { Store, Token } from '../../store/store.ts'
import type { Caller } from './caller.ts'

/** Tokens are stored as the SHA-256 of their text. They are random: no salt and no slow hash is needed. */
export const hashToken = (text: string): string => hash('sha256', text, 'hex')

/** How long a token that was found is believed without asking the store: other servers may delete it meanwhile. */
const BELIEVED_MS = 5000
const MOST_BELIEVED = 10_000

type Believed = { readonly caller: Caller; readonly expiresAt: number; readonly until: number }

export type Callers = {
  /** Whom a token stands for, without waiting: null when the store must be asked. */
  known(text: string): Caller | null
  /** Whom a token stands for, or null when it is not valid. */
  find(text: string): Promise<Caller | null>
  /** A deleted token stops at once. */
  forget(tokenId: string): void
}

/** Finds callers by their tokens, with a short memory of those found: never of those that were not. */
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

/** The role of the admin token alone: everything, workspaces included. The API gives it to no other. */
export const INSTANCE_ADMIN = 'instance_admin'

/** A role means what the table says today; only a token made with scopes keeps exactly those. */
export const scopesOf = ({ role, scopes }: Pick<Token, 'role' | 'scopes'>): readonly Scope[] => {
  if (role === INSTANCE_ADMIN) return SCOPES
  return role !== null && Object.hasOwn(ROLE_SCOPES, role) ? ROLE_SCOPES[role as Role] : scopes.filter(isScope)
}
