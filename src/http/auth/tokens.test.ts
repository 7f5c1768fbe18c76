import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../kernel/clock.ts'
import { SCOPES } from '../../model/scopes.ts'
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts'
import type { Store } from '../../store/store.ts'
import { hashToken, scopesOf } from './callers.ts'
import { ensureAdminToken, resetAdminToken } from './tokens.ts'

let dataDir: string
let store: Store
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-tokens-'))
  store = await openSqliteStore({ path: join(dataDir, 'millrace.db'), clock: systemClock })
})
afterEach(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const ensure = (adminToken: string | null = null) =>
  ensureAdminToken({ store, config: { adminToken, dataDir, roles: ['api'] } })
const counts = async (token: string | null): Promise<boolean> =>
  token !== null && (await store.findToken({ hash: hashToken(token) })) !== null

test('the first start creates a token with every scope in a private file', async () => {
  const made = await ensure()
  expect(made).toEqual({ token: expect.stringMatching(/^mr_/), path: join(dataDir, 'admin-token'), isNew: true })
  expect(readFileSync(made.path, 'utf8')).toBe(`${made.token}\n`)
  expect(statSync(made.path).mode & 0o777).toBe(0o600)
  const found = await store.findToken({ hash: hashToken(made.token!) })
  expect(found?.workspace).toBe('default')
  expect(scopesOf(found!)).toEqual(SCOPES)
})

test('later starts leave the token as it is, even if its file is gone', async () => {
  const first = await ensure()
  expect(await ensure()).toEqual({ ...first, isNew: false })
  rmSync(first.path)
  expect(await ensure()).toEqual({ token: null, path: first.path, isNew: false })
  expect(await counts(first.token)).toBe(true)
})

test('a reset creates another token and revokes the previous one', async () => {
  const first = await ensure()
  const second = await resetAdminToken({ store, config: { adminToken: null, dataDir, roles: ['api'] } })
  expect(second.isNew).toBe(true)
  expect([await counts(first.token), await counts(second.token)]).toEqual([false, true])
  expect(readFileSync(second.path, 'utf8')).toBe(`${second.token}\n`)
  expect(await ensure()).toEqual({ ...second, isNew: false })
})

test('a configured token is valid as long as it is configured, and is written nowhere', async () => {
  expect(await ensure('first of the configuration')).toMatchObject({ isNew: true, token: 'first of the configuration' })
  expect(() => statSync(join(dataDir, 'admin-token'))).toThrow('ENOENT')
  expect(await ensure('first of the configuration')).toMatchObject({ isNew: false })
  await ensure('second of the configuration')
  expect(await counts('first of the configuration')).toBe(false)
  expect(await counts('second of the configuration')).toBe(true)
  const made = await ensure()
  expect(await counts('second of the configuration')).toBe(false)
  expect(await counts(made.token)).toBe(true)
})

test('a process that is only a worker does not end the token of the others', async () => {
  await ensure('of the configuration')
  await ensureAdminToken({ store, config: { adminToken: null, dataDir, roles: ['worker'] } })
  expect(await counts('of the configuration')).toBe(true)
})

test('processes that start at once agree on the configured token', async () => {
  const made = await Promise.all([ensure('shared'), ensure('shared'), ensure('shared')])
  for (const { token } of made) expect(token).toBe('shared')
  expect(await counts('shared')).toBe(true)
})

test('nothing in the store shows the token', async () => {
  const { token } = await ensure()
  expect(JSON.stringify(await store.listTokens({ workspace: 'default' }))).not.toContain(token)
})
