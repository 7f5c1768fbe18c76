import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CliContext } from '../context.ts'
import { findServer } from './server-address.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-address-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const find = (environment: Readonly<Record<string, string>> = {}) => {
  const { stdin, stdout, stderr } = process
  const context: CliContext = { environment, directory, stdin, stdout, stderr }
  return findServer(context)
}

/** A data directory as a running server leaves it. */
const dataDir = (files: Readonly<Record<string, string>>): string => {
  const path = join(directory, 'its-data')
  mkdirSync(path)
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content)
  return path
}

test('the address and the token come from the environment, as in a job', () => {
  const environment = { MILLRACE_URL: 'https://jobs.example/', MILLRACE_TOKEN: 'secret' }
  expect(find(environment)).toEqual({ url: 'https://jobs.example', token: 'secret' })
})

test('the address and the token come from the data directory of a server', () => {
  const path = dataDir({ 'server.json': '{"url": "http://127.0.0.1:4321", "pid": 1}', 'admin-token': 'secret\n' })
  expect(find({ MILLRACE_DATA_DIR: path })).toEqual({ url: 'http://127.0.0.1:4321', token: 'secret' })
})

test.each(['', '{', '{"url": 5}', 'null'])('with %j in server.json the configured address is used', content => {
  const path = dataDir({ 'server.json': content, 'admin-token': 'secret' })
  const environment = { MILLRACE_DATA_DIR: path, MILLRACE_PORT: '8080' }
  expect(find(environment)).toEqual({ url: 'http://127.0.0.1:8080', token: 'secret' })
})

test('a configured admin token is used for the server of this machine', () => {
  expect(find({ MILLRACE_ADMIN_TOKEN: 'configured' }).token).toBe('configured')
})

test.each([
  { MILLRACE_URL: 'http://jobs.example' },
  { MILLRACE_URL: 'http://127.0.0.1.example', MILLRACE_ADMIN_TOKEN: 'configured' },
])('%j is another machine, to which no token of this one is sent', environment => {
  const path = dataDir({ 'admin-token': 'secret' })
  expect(() => find({ MILLRACE_DATA_DIR: path, ...environment })).toThrow('MILLRACE_TOKEN is not set')
})

test('if no server was ever started here, the failure names the missing file', () => {
  const environment = { MILLRACE_DATA_DIR: join(directory, 'nowhere') }
  expect(() => find(environment)).toThrow(join(directory, 'nowhere/admin-token'))
})

test.each([
  'jobs.example',
  'ftp://jobs.example',
  'http://',
  'http://127.0.0.1@jobs.example',
  'https://me:hunter2@jobs.example',
])('%s is not the address of a server, and is not repeated', url => {
  expect(() => find({ MILLRACE_URL: url, MILLRACE_TOKEN: 'x' })).toThrow(
    /^MILLRACE_URL: the value is not an http or https URL/,
  )
})
