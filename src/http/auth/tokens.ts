import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId, newSecret } from '../../kernel/ids.ts'
import type { Config } from '../../kernel/settings.ts'
import { SCOPES } from '../../model/scopes.ts'
import type { Store } from '../../store/store.ts'
import { hashToken, INSTANCE_ADMIN } from './callers.ts'

/** The workspace that always exists and owns the admin token. */
const DEFAULT_WORKSPACE = 'default'

type Place = { readonly store: Store; readonly config: Pick<Config, 'adminToken' | 'dataDir' | 'roles'> }

/** The admin token of a data directory, and the path of its file. */
export type AdminToken = {
  /** null: it was created earlier, and its file is gone. */
  readonly token: string | null
  readonly path: string
  readonly isNew: boolean
}

/** Settings with the ids of the valid admin tokens: the generated one and the configured one. */
const MADE = 'admin_token_id'
const CONFIGURED = 'configured_admin_token_id'

/** A random token, shown to its owner once. Only its hash is stored. */
export const newToken = (): string => newSecret('mr_')

/**
 * The admin token: it has all scopes, including those of the instance, in the workspace `default`. A configured token is valid as long as it is configured.
 * Otherwise one is generated on the first start and written to `<data dir>/admin-token`.
 */
export const ensureAdminToken = async ({ store, config }: Place): Promise<AdminToken> => {
  const path = join(config.dataDir, 'admin-token')
  if (config.adminToken !== null) return ensureConfigured({ store, token: config.adminToken, path })
  // A process that is only a worker need not be configured with the token of the API servers.
  if (config.roles.includes('api')) await revoke(store, CONFIGURED)
  if ((await store.getSetting({ name: MADE })) === null) return make({ store, path })
  return { token: await readToken(path), path, isNew: false }
}

/** Replaces the generated admin token by a new one, if its file is lost or has leaked. */
export const resetAdminToken = async ({ store, config }: Place): Promise<AdminToken> => {
  await revoke(store, MADE)
  return make({ store, path: join(config.dataDir, 'admin-token') })
}

const ensureConfigured = async ({ store, token, path }: { store: Store; token: string; path: string }) => {
  const isNew = (await store.findToken({ hash: hashToken(token) })) === null
  if (!isNew) return { token, path, isNew }
  await revoke(store, CONFIGURED)
  try {
    await keep({ store, token, setting: CONFIGURED })
  } catch (error) {
    // Another process may have started at the same time and stored the same token.
    if ((await store.findToken({ hash: hashToken(token) })) === null) throw error
  }
  return { token, path, isNew }
}

/** The file is written first: after a crash in between, its token is not valid, and the next start generates another. */
const make = async ({ store, path }: { store: Store; path: string }): Promise<AdminToken> => {
  const token = newToken()
  await writePrivate(path, `${token}\n`)
  await keep({ store, token, setting: MADE })
  return { token, path, isNew: true }
}

const keep = async ({ store, token, setting }: { store: Store; token: string; setting: string }): Promise<void> => {
  const id = newId()
  await store.createToken({
    id,
    workspace: DEFAULT_WORKSPACE,
    name: 'admin',
    role: INSTANCE_ADMIN,
    scopes: SCOPES,
    hash: hashToken(token),
    expiresAt: null,
  })
  await store.setSetting({ name: setting, value: id })
}

const revoke = async (store: Store, setting: string): Promise<void> => {
  const tokenId = await store.getSetting({ name: setting })
  if (tokenId) await store.deleteToken({ workspace: DEFAULT_WORKSPACE, tokenId })
}

const writePrivate = async (path: string, text: string): Promise<void> => {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${newId()}`
  await writeFile(temporary, text, { mode: 0o600 })
  await rename(temporary, path)
}

const readToken = async (path: string): Promise<string | null> => {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch {
    return null
  }
}
