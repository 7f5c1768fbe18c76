import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { inProcess, start } from './millrace.ts'

/** `a` and `b` have results of one million bytes each; the second half of `b` waits for the test. */
let server: Server
let halfSent: ServerResponse[] = []
beforeAll(async () => {
  server = createServer((request, response) => {
    const [, , , id, what] = request.url!.split('/')
    if (what === undefined) return response.end(JSON.stringify({ job_id: id, status: 'completed', finished_at: 'now' }))
    if (id === 'a') return response.end('a'.repeat(1_000_000))
    response.write(id!.repeat(500_000), () => halfSent.push(response))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'millrace-output-'))
  halfSent = []
})
afterEach(() => rmSync(cwd, { recursive: true }))

const options = () => {
  const { port } = server.address() as AddressInfo
  return { cwd, environment: { MILLRACE_URL: `http://127.0.0.1:${port}`, MILLRACE_TOKEN: 'x' } }
}
const save = (id: string, file: string) => inProcess(['result', id, '-o', file], options())
const SAVED = { code: 0, stdout: '', stderr: '' }

test('a named pipe gets the content and stays what it is', async () => {
  execFileSync('mkfifo', [join(cwd, 'pipe')])
  const reading = readFile(join(cwd, 'pipe'), 'utf8')
  expect(await save('a', 'pipe')).toEqual(SAVED)
  expect(lstatSync(join(cwd, 'pipe')).isFIFO()).toBe(true)
  expect(await reading).toBe('a'.repeat(1_000_000))
})

test('a link to a file stays a link, and the file gets the content', async () => {
  writeFileSync(join(cwd, 'file'), 'before')
  symlinkSync('file', join(cwd, 'link'))
  expect(await save('a', 'link')).toEqual(SAVED)
  expect(lstatSync(join(cwd, 'link')).isSymbolicLink()).toBe(true)
  expect(readFileSync(join(cwd, 'file'), 'utf8')).toBe('a'.repeat(1_000_000))
})

test('a private file stays private', async () => {
  writeFileSync(join(cwd, 'file'), 'before', { mode: 0o600 })
  symlinkSync('file', join(cwd, 'link'))
  for (const name of ['file', 'link']) {
    expect(await save('a', name)).toEqual(SAVED)
    expect(statSync(join(cwd, 'file')).mode & 0o777).toBe(0o600)
  }
})

test('two commands that write the same file leave the content of one of them', async () => {
  const slow = save('b', 'rows')
  await expect.poll(() => halfSent).toHaveLength(1)
  expect(await save('a', 'rows')).toEqual(SAVED)
  expect(readFileSync(join(cwd, 'rows'), 'utf8')).toBe('a'.repeat(1_000_000))
  halfSent[0]!.end('b'.repeat(500_000))
  expect(await slow).toEqual(SAVED)
  expect(readFileSync(join(cwd, 'rows'), 'utf8')).toBe('b'.repeat(1_000_000))
  expect(readdirSync(cwd)).toEqual(['rows'])
})

test('Ctrl-C during a download leaves no file', async () => {
  const child = start(['result', 'b', '-o', 'rows'], options())
  const ended = once(child, 'exit')
  await expect.poll(() => readdirSync(cwd), { timeout: 20_000 }).toHaveLength(1)
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
  expect(readdirSync(cwd)).toEqual([])
})
