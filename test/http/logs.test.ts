import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { startTestServer, type TestServer } from '../server.ts'
import { scenarios } from './scenario.ts'

type Line = { seq: number; attempt: number; stream: string; timestamp: string; line: string }

let server: TestServer
let job: string
beforeAll(async () => {
  server = await startTestServer({ settings: { 'shutdown-grace': '100ms' } })
  const ended = await server.run({
    command: 'printf "one\\ntwo\\n"; sleep 0.1; echo oops >&2; sleep 0.1; printf "three \\033[31mred\\033[0m\\nlast"',
  })
  job = ended.job_id
})
afterAll(() => server?.stop())

const WHOLE = ['one', 'two', 'oops', 'three \u001b[31mred\u001b[0m', 'last']
const bearer = () => ({ authorization: `Bearer ${server.token}` })
const get = (query: string, accept?: string): Promise<Response> =>
  fetch(`${server.url}/v1/jobs/${job}/logs${query}`, { headers: { ...bearer(), ...(accept && { accept }) } })
const page = async (query: string): Promise<{ lines: Line[]; next_after: number | null }> =>
  (await get(query)).json() as Promise<{ lines: Line[]; next_after: number | null }>
const texts = (lines: readonly Line[]): string[] => lines.map(line => line.line)

describe('a page of a log', () => {
  test('has its lines in order', async () => {
    const { lines, next_after } = await page('')
    expect(texts(lines)).toEqual(WHOLE)
    expect(lines.map(line => line.seq)).toEqual([1, 2, 3, 4, 5])
    expect(lines[2]).toEqual({
      seq: 3,
      attempt: 1,
      stream: 'stderr',
      timestamp: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      line: 'oops',
    })
    expect(next_after).toBeNull()
  })

  test('continues where the previous one ended', async () => {
    const seen: string[] = []
    let after: number | null = 0
    while (after !== null) {
      const { lines, next_after } = await page(`?after=${after}&limit=2`)
      seen.push(...texts(lines))
      after = next_after
    }
    expect(seen).toEqual(WHOLE)
  })

  test.each([
    ['?tail=2', WHOLE.slice(-2)],
    ['?stream=stderr', ['oops']],
    ['?q=T', ['two', 'three \u001b[31mred\u001b[0m', 'last']],
    ['?attempt=1&limit=1', ['one']],
    ['?attempt=2', []],
  ])('%s', async (query, expected) => {
    expect(texts((await page(query)).lines)).toEqual(expected)
  })
})

describe('a download', () => {
  test('as text is what the job has written', async () => {
    const response = await get('', 'text/plain')
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await response.text()).toBe(`${WHOLE.join('\n')}\n`)
  })

  test('as NDJSON has one object per line', async () => {
    const response = await get('?stream=stdout', 'application/x-ndjson')
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
    const lines = (await response.text()).trimEnd().split('\n')
    expect(texts(lines.map(line => JSON.parse(line)))).toEqual(WHOLE.filter(line => line !== 'oops'))
  })

  test('with HEAD has no body and does not hang, in any form', async () => {
    for (const accept of ['text/plain', 'application/x-ndjson', 'text/event-stream', 'application/json']) {
      const response = await fetch(`${server.url}/v1/jobs/${job}/logs`, {
        method: 'HEAD',
        headers: { ...bearer(), accept },
      })
      expect([response.status, await response.text()]).toEqual([200, ''])
      expect(response.headers.get('content-type')).toContain(accept)
    }
  })
})

describe('parameters that a form does not support are refused', () => {
  const path = (query: string): string => `/v1/jobs/01900000-0000-7000-8000-000000000000/logs${query}`
  const refused = { status: 422, code: 'invalid' } as const
  scenarios(
    () => server,
    [
      {
        ...refused,
        name: 'limit in a download',
        path: path('?limit=1'),
        headers: { accept: 'text/plain' },
        fields: ['limit'],
      },
      {
        ...refused,
        name: 'filters in a stream',
        path: path('?q=x&stream=stdout'),
        headers: { accept: 'text/event-stream' },
        fields: ['q', 'stream'],
      },
      { ...refused, name: 'from in a page', path: path('?from=3'), fields: ['from'] },
      { ...refused, name: 'an invalid stream', path: path('?stream=stdin'), fields: ['stream'] },
      { ...refused, name: 'a negative line', path: path('?after=-1'), fields: ['after'] },
      {
        name: 'an unknown format',
        path: path(''),
        headers: { accept: 'image/png' },
        status: 406,
        code: 'not_acceptable',
      },
    ],
  )
})

/** Everything a WebSocket sends until it closes. */
const listen = async (path: string): Promise<{ messages: unknown[]; code: number }> => {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`, { headers: bearer() })
  const messages: unknown[] = []
  socket.on('message', data => messages.push(JSON.parse(data.toString())))
  const [code] = await once(socket, 'close')
  return { messages, code }
}

describe('a follower', () => {
  test('over WebSocket gets the existing lines, the end event and a normal close', async () => {
    const { messages, code } = await listen(`/v1/jobs/${job}/logs`)
    expect(texts(messages.slice(0, -1) as Line[])).toEqual(WHOLE)
    expect(messages.at(-1)).toEqual({ event: 'end', status: 'completed' })
    expect(code).toBe(1000)
  })

  test('may start at a later line, and get batches', async () => {
    const { messages } = await listen(`/v1/jobs/${job}/logs?from=4&batch=true`)
    expect(texts(messages[0] as Line[])).toEqual(WHOLE.slice(3))
  })

  test('of a running job gets its lines as they are written', async () => {
    const { body } = await server.call('POST', '/v1/jobs', {
      command: 'echo first; read line; echo "$line"',
      stdin: 'x\n',
    })
    const { messages } = await listen(`/v1/jobs/${body.job_id}/logs`)
    expect(texts(messages.slice(0, -1) as Line[])).toEqual(['first', 'x'])
  })

  test('with parameters that streams do not support is refused', async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/jobs/${job}/logs?limit=1`, {
      headers: bearer(),
    })
    const [, response] = await once(socket, 'unexpected-response')
    expect(response.statusCode).toBe(422)
    socket.on('error', () => {})
    socket.terminate()
  })

  test('with server-sent events gets the same lines with ids, and resumes after the last one', async () => {
    const whole = await (await get('', 'text/event-stream')).text()
    expect(whole.match(/^id: \d+$/gm)).toEqual(['id: 1', 'id: 2', 'id: 3', 'id: 4', 'id: 5'])
    expect(whole).toContain('event: end')
    const rest = await fetch(`${server.url}/v1/jobs/${job}/logs`, {
      headers: { ...bearer(), accept: 'text/event-stream', 'last-event-id': '3' },
    })
    expect(rest.headers.get('content-type')).toContain('text/event-stream')
    expect(rest.headers.get('x-content-type-options')).toBe('nosniff')
    expect((await rest.text()).match(/^id: \d+$/gm)).toEqual(['id: 4', 'id: 5'])
  })
})
