import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { NOBODY, scenarios } from './scenario.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ settings: { 'max-body-bytes': '1MiB' } })
})
afterAll(() => server?.stop())

const JSON_TYPE = { 'content-type': 'application/json' }

describe('an unreadable request', () => {
  scenarios(
    () => server,
    [
      { name: 'has no route', path: '/v1/nothing', status: 404, code: 'route_not_found' },
      {
        name: 'has no route because of a slash',
        method: 'POST',
        path: '/v1/jobs/?count=true',
        json: {},
        status: 404,
        matches: { detail: 'There is no /v1/jobs/: leave out the slash at the end.' },
      },
      { name: 'has no route and no token', path: '/nothing', token: null, status: 404, code: 'route_not_found' },
      { name: 'has another method than the route', method: 'PATCH', path: '/v1/jobs', status: 405 },
      { name: 'deletes a list', method: 'DELETE', path: '/v1/jobs', status: 405, code: 'method_not_allowed' },
      { name: 'replaces a job', method: 'PUT', path: `/v1/jobs/${NOBODY}`, json: {}, status: 405 },
      { name: 'sends JSON to no route', method: 'POST', path: '/v1/nothing', json: { a: 1 }, status: 404 },
      { name: 'sends a text to no route', method: 'POST', path: '/v1/nothing', body: 'a', status: 404 },
      { name: 'changes a job', method: 'PATCH', path: `/v1/jobs/${NOBODY}`, json: { priority: 1 }, status: 405 },
      { name: 'has a path that is wrongly encoded', path: '/v1/jobs/%E0%A4%A', status: 400, code: 'bad_request' },
      { name: 'has a path with a NUL', path: '/v1/jobs/%00', status: 404, code: 'not_found' },
      { name: 'has an invalid id', path: '/v1/jobs/1', status: 404, code: 'not_found' },
      { name: 'has an id in capitals', path: `/v1/jobs/${NOBODY.replace('0', 'A')}`, status: 404, code: 'not_found' },
      { name: 'has an id of thousands of characters', path: `/v1/jobs/${'a'.repeat(5000)}`, status: 404 },
      { name: 'climbs out of a path', path: '/v1/jobs/..%2f..%2fetc', status: 404, code: 'not_found' },
      { name: 'submits nothing', method: 'POST', path: '/v1/jobs', status: 400, code: 'invalid_json' },
      {
        name: 'submits an empty text',
        method: 'POST',
        path: '/v1/jobs',
        headers: JSON_TYPE,
        body: '',
        status: 400,
        code: 'invalid_json',
      },
      {
        name: 'submits truncated JSON',
        method: 'POST',
        path: '/v1/jobs',
        headers: JSON_TYPE,
        body: '{"command":"tr',
        status: 400,
        code: 'invalid_json',
      },
      {
        name: 'submits text that is not UTF-8',
        method: 'POST',
        path: '/v1/jobs',
        headers: JSON_TYPE,
        body: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
        status: 400,
        code: 'invalid_json',
      },
      {
        name: 'submits a form',
        method: 'POST',
        path: '/v1/jobs',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'command=true',
        status: 415,
        code: 'unsupported_media_type',
      },
      {
        name: 'has an invalid Content-Type',
        method: 'POST',
        path: '/v1/jobs',
        headers: { 'content-type': 'json' },
        body: '{}',
        status: 415,
      },
      {
        name: 'is larger than the limit',
        method: 'POST',
        path: '/v1/jobs',
        json: { command: 'x'.repeat(2_000_000) },
        status: 413,
        code: 'too_large',
      },
      {
        name: 'sends a body to a route without one',
        method: 'POST',
        path: `/v1/jobs/${NOBODY}/rerun`,
        json: { command: 'true' },
        status: 422,
        code: 'invalid',
      },
    ],
  )

  test('405 names the allowed methods', async () => {
    const response = await fetch(`${server.url}/v1/jobs`, { method: 'PATCH' })
    expect(response.headers.get('allow')?.split(', ').toSorted()).toEqual(['GET', 'HEAD', 'POST'])
  })

  test('a request that is not HTTP gets a 400 and the connection is closed', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.end('NONSENSE\r\n\r\n')
    let text = ''
    socket.on('data', data => {
      text += data
    })
    await once(socket, 'close')
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({ code: 'bad_request', status: 400 })
  })
})

describe('a wrong value', () => {
  const tokens = { method: 'POST', path: '/v1/tokens', status: 422, code: 'invalid' } as const
  const list = { status: 422, code: 'invalid' } as const
  scenarios(
    () => server,
    [
      { ...list, name: 'unknown query parameter', path: '/v1/jobs?foo=1', fields: ['foo'] },
      {
        ...list,
        name: 'unknown query parameter of a route without parameters',
        path: '/v1/workers?x=1',
        fields: ['x'],
      },
      {
        ...list,
        name: 'every wrong parameter is reported',
        path: '/v1/jobs?limit=x&status=done&y=',
        fields: ['limit', 'status.0', 'y'],
      },
      { ...list, name: 'limit 0', path: '/v1/jobs?limit=0', fields: ['limit'] },
      { ...list, name: 'limit 501', path: '/v1/jobs?limit=501', fields: ['limit'] },
      { ...list, name: 'limit twice', path: '/v1/jobs?limit=1&limit=2', fields: ['limit'] },
      { ...list, name: 'limit in hexadecimal', path: '/v1/jobs?limit=0x10', fields: ['limit'] },
      { ...list, name: 'limit with a fraction', path: '/v1/jobs?limit=1.5', fields: ['limit'] },
      { ...list, name: 'empty limit', path: '/v1/jobs?limit=', fields: ['limit'] },
      { ...list, name: 'unknown kind', path: '/v1/jobs?kind=command,magic', fields: ['kind.1'] },
      { ...list, name: 'unreadable time', path: '/v1/jobs?created_after=now', fields: ['created_after'] },
      { ...list, name: 'label without a value', path: '/v1/jobs?label=team', fields: ['label'] },
      { ...list, name: 'NUL in a name', path: '/v1/jobs?name=%00', fields: ['name'] },
      { ...list, name: 'NUL in a label', path: '/v1/jobs?label=a:%00', fields: ['label.0'] },
      { ...list, name: 'tail of a page', path: `/v1/jobs/${NOBODY}/logs?tail=3&limit=1`, fields: ['limit'] },
      { ...list, name: 'tail after a line', path: `/v1/jobs/${NOBODY}/logs?tail=3&after=1`, fields: ['after'] },
      {
        ...list,
        name: 'label that cannot be a filter',
        method: 'POST',
        path: '/v1/jobs',
        json: { command: 'true', labels: { 'a:b': 'c' } },
        fields: ['labels.a:b'],
      },
      { ...list, name: 'token in the query of a route that is no stream', path: '/v1/jobs?token=x', fields: ['token'] },
      { name: 'an invalid cursor', path: '/v1/jobs?cursor=abc', status: 422, code: 'invalid_cursor' },
      { name: 'a cursor of other characters', path: '/v1/jobs?cursor=%C3%A4', status: 422, code: 'invalid' },
      { ...list, name: 'wait for minutes', path: `/v1/jobs/${NOBODY}?wait=3600`, fields: ['wait'] },
      {
        ...list,
        name: 'unknown and mistyped fields of a cancel',
        method: 'POST',
        path: `/v1/jobs/${NOBODY}/cancel`,
        json: { timeout_seconds: '10', force: true },
        fields: ['force', 'timeout_seconds'],
      },
      {
        ...list,
        name: 'a negative grace period',
        method: 'POST',
        path: `/v1/jobs/${NOBODY}/cancel`,
        json: { timeout_seconds: -1 },
        fields: ['timeout_seconds'],
      },
      {
        ...list,
        name: 'a filter in the query and in the body',
        method: 'POST',
        path: '/v1/jobs/cancel?queue=a',
        json: { queue: 'a' },
        fields: ['queue'],
      },
      {
        ...list,
        name: 'progress beyond 100',
        method: 'POST',
        path: `/v1/jobs/${NOBODY}/progress`,
        json: { percentage: 101 },
        fields: ['percentage'],
      },
      { ...tokens, name: 'empty token', json: {}, fields: ['name'] },
      { ...tokens, name: 'token with neither role nor scopes', json: { name: 'x' }, fields: ['role'] },
      {
        ...tokens,
        name: 'token with role and scopes',
        json: { name: 'x', role: 'reader', scopes: ['jobs:read'] },
        fields: ['role'],
      },
      { ...tokens, name: 'token with an unknown role', json: { name: 'x', role: 'root' }, fields: ['role'] },
      {
        ...tokens,
        name: 'token with the role of the instance',
        json: { name: 'x', role: 'instance_admin' },
        fields: ['role'],
      },
      {
        ...tokens,
        name: 'token with an unknown scope',
        json: { name: 'x', scopes: ['jobs:fly'] },
        fields: ['scopes.0'],
      },
      {
        ...tokens,
        name: 'token that has expired',
        json: { name: 'x', role: 'reader', expires_at: '2020-01-01T00:00:00Z' },
        fields: ['expires_at'],
      },
      {
        ...tokens,
        name: 'token of a missing workspace',
        json: { name: 'x', role: 'reader', workspace: 'nowhere' },
        fields: ['workspace'],
      },
      {
        ...tokens,
        name: 'token named with a control character',
        json: { name: 'a\nb', role: 'reader' },
        fields: ['name'],
      },
      { ...tokens, name: 'token that is a list', json: [], fields: [''] },
      { ...tokens, name: 'token that is null', json: null, fields: [''] },
      {
        ...list,
        name: 'workspace without a name',
        method: 'POST',
        path: '/v1/workspaces',
        json: { name: '' },
        fields: ['name'],
      },
    ],
  )
})

describe('a wrong job body', () => {
  const post = { method: 'POST', path: '/v1/jobs', status: 422 } as const
  scenarios(
    () => server,
    [
      { ...post, name: 'no kind', json: {}, code: 'invalid' },
      { ...post, name: 'two kinds', json: { command: 'x', query: 'y' }, code: 'invalid' },
      { ...post, name: 'a list', json: [], code: 'invalid' },
      { ...post, name: 'a text', json: 'true', code: 'invalid' },
      { ...post, name: 'null', json: null, code: 'invalid' },
      { ...post, name: 'an unknown field', json: { command: 'x', comand: 'y' }, code: 'invalid', fields: ['comand'] },
      { ...post, name: 'wrong types', json: { command: 'x', name: 1, priority: '5' }, fields: ['name', 'priority'] },
      { ...post, name: 'a name with control characters', json: { command: 'x', name: 'a\u0007' }, fields: ['name'] },
      {
        ...post,
        name: 'an environment name with =',
        json: { command: 'x', environment: { 'A=B': '1' } },
        code: 'invalid',
      },
      {
        ...post,
        name: 'a kind that this server does not run',
        json: { image: 'alpine:3' },
        code: 'executor_unavailable',
      },
      {
        ...post,
        name: 'a time long past',
        json: { command: 'x', scheduled_at: '2020-01-01T00:00:00Z' },
        fields: ['scheduled_at'],
      },
      { ...post, name: 'an empty batch', path: '/v1/jobs/batch', json: { jobs: [] }, fields: ['jobs'] },
      { ...post, name: 'a batch that is not a list', path: '/v1/jobs/batch', json: { jobs: 'x' }, fields: ['jobs'] },
      {
        ...post,
        name: 'a batch with another field',
        path: '/v1/jobs/batch',
        json: { jobs: [{ command: 'x' }], dry: 1 },
        fields: ['dry'],
      },
      {
        ...post,
        name: 'a batch with two wrong jobs',
        path: '/v1/jobs/batch',
        json: { jobs: [{ command: 'x' }, { command: 1 }, { command: 'x', name: 2 }] },
        fields: ['jobs.1.command', 'jobs.2.name'],
      },
      {
        ...post,
        name: 'a batch of 10,001',
        path: '/v1/jobs/batch',
        json: { jobs: new Array(10_001).fill({ command: 'x' }) },
        fields: ['jobs'],
      },
    ],
  )

  test('nothing of a refused request is stored', async () => {
    const { body } = await server.call('GET', '/v1/jobs?count=true')
    expect(body).toEqual({ jobs: [], next_cursor: null, count: 0 })
  })
})
