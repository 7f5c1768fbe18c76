import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../kernel/config.ts'
import { welcome } from './welcome.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-welcome-'))
  mkdirSync(join(directory, 'data'))
  writeFileSync(join(directory, 'data/admin-token'), 'mr_secret\n')
})
afterEach(() => rmSync(directory, { recursive: true }))

const pipe = new PassThrough() as unknown as NodeJS.WriteStream
const terminal = Object.assign(new PassThrough(), { isTTY: true }) as unknown as NodeJS.WriteStream
const say = (input: {
  isNew?: boolean
  stream?: NodeJS.WriteStream
  startedIn?: string
  adminToken?: string
  roles?: string
  problems?: Parameters<typeof welcome>[0]['server']['problems']
}) => {
  const environment = input.adminToken === undefined ? {} : { MILLRACE_ADMIN_TOKEN: input.adminToken }
  const { config } = loadConfig({
    flags: { 'data-dir': join(directory, 'data'), roles: input.roles ?? 'api,worker' },
    environment,
    directory,
  })
  const adminToken = { path: join(directory, 'data/admin-token'), isNew: input.isNew ?? false }
  const server = { url: 'http://127.0.0.1:7070', adminToken, problems: input.problems ?? [] }
  return welcome({ server, config, directory: input.startedIn ?? directory, stream: input.stream ?? pipe })
}

test('a new token is shown on a terminal, an old one only by its place, a configured one not at all', () => {
  expect(say({ isNew: true, stream: terminal })).toContain('mr_secret')
  expect(say({ stream: terminal })).not.toContain('mr_secret')
  expect(say({})).toContain(join(directory, 'data/admin-token'))
  expect(say({ isNew: true, stream: terminal, adminToken: 'mr_configured_by_hand' })).not.toMatch(/mr_/)
})

test('the first request reads the token from its place', () => {
  expect(say({})).toContain(`Bearer $(cat '${directory}/data/admin-token')"`)
  expect(say({ adminToken: 'mr_configured_by_hand' })).toContain('Bearer $MILLRACE_ADMIN_TOKEN"')
})

test('without a token, none is named and no job is suggested', () => {
  rmSync(join(directory, 'data/admin-token'))
  expect(say({})).toContain('not here: with the first server of this database, or lost (millrace tokens reset-admin)')
  expect(say({})).not.toMatch(/admin-token|run --|curl/)
})

test('a server that does not listen names no address', () => {
  expect(say({ roles: 'scheduler,worker' })).toContain('Millrace is ready (scheduler, worker); without the role api')
  expect(say({ roles: 'scheduler,worker' })).not.toMatch(/http:|curl/)
})

test('a log shows no token, not even a new one', () => {
  expect(say({ isNew: true })).not.toContain('mr_secret')
  expect(say({ isNew: true })).toContain(join(directory, 'data/admin-token'))
})

test('the first command names the data directory if it is started elsewhere', () => {
  expect(say({})).toContain('    npx millrace run')
  expect(say({ startedIn: '/' })).toContain(`    MILLRACE_DATA_DIR='${directory}/data' npx millrace run`)
})

test('problems of the server are shown with their part', () => {
  const problems = [
    { part: 'command', problems: [{ severity: 'warning' as const, message: 'Commands are not isolated.' }] },
    { part: 'store', problems: [{ severity: 'unavailable' as const, message: 'It is away.' }] },
    { part: 'blobs', problems: [] },
  ]
  const text = say({ problems })
  expect(text).toContain('Warning (command): Commands are not isolated.')
  expect(text).toContain('Fault (store): It is away.')
  expect(text).not.toContain('blobs):')
})

test('a pipe gets no colours', () => {
  expect(say({ isNew: true })).not.toContain('\x1b')
})
