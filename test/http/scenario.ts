import { expect, test } from 'vitest'
import type { TestServer } from '../server.ts'

/** One call and its expected outcome: an endpoint test as data. */
export type Scenario = {
  readonly name: string
  readonly method?: string
  readonly path: string
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent unchanged. */
  readonly body?: string | Uint8Array<ArrayBuffer> | FormData
  readonly headers?: Record<string, string>
  /** null: no token. Otherwise the admin's by default. */
  readonly token?: string | null
  readonly status: number
  /** Of the problem. */
  readonly code?: string
  /** Paths of the wrong fields, all of them. */
  readonly fields?: readonly string[]
  /** What the body must hold. */
  readonly matches?: unknown
}

/** Runs each scenario as a test of its own. */
export const scenarios = (server: () => TestServer, list: readonly Scenario[]): void => {
  test.each(list)('$name', async scenario => check(server(), scenario))
}

export const check = async (server: TestServer, scenario: Scenario): Promise<void> => {
  const response = await send(server, scenario)
  const text = await response.text()
  expect(response.status, text).toBe(scenario.status)
  if (response.status >= 400) expectProblem(response, text, scenario)
  if (scenario.matches !== undefined) expect(JSON.parse(text)).toMatchObject(scenario.matches as object)
}

const send = (server: TestServer, { method = 'GET', path, json, body, headers, token }: Scenario): Promise<Response> =>
  fetch(server.url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(token !== null && { authorization: `Bearer ${token ?? server.token}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(body !== undefined && { body }),
  })

/** Every refusal, whoever makes it, has the shape of RFC 9457. */
const expectProblem = (response: Response, text: string, { status, code, fields }: Scenario): void => {
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  expect(response.headers.get('x-request-id')).toMatch(/^[\w.:-]+$/)
  const problem = JSON.parse(text)
  expect(problem).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) })
  expect(problem.type).toBe(`urn:millrace:error:${problem.code}`)
  if (code !== undefined) expect(problem.code).toBe(code)
  if (fields !== undefined)
    expect(problem.errors.map((error: { path: string }) => error.path).toSorted()).toEqual(fields.toSorted())
}

/** A valid id that belongs to nothing. */
export const NOBODY = '01900000-0000-7000-8000-000000000000'
