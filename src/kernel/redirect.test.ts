import { describe, expect, test } from 'vitest'
import { followRedirect, type HopRequest } from './redirect.ts'

const request = (overrides: Partial<HopRequest> = {}): HopRequest => ({
  url: new URL('https://a.example/first?x=1'),
  method: 'GET',
  headers: {},
  body: null,
  ...overrides,
})

describe('the method after a redirect', () => {
  test.each([
    [301, 'GET', 'GET'],
    [301, 'HEAD', 'HEAD'],
    [301, 'POST', 'GET'],
    [301, 'PUT', 'PUT'],
    [302, 'POST', 'GET'],
    [302, 'DELETE', 'DELETE'],
    [303, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [307, 'POST', 'POST'],
    [307, 'PUT', 'PUT'],
    [308, 'POST', 'POST'],
    [308, 'GET', 'GET'],
  ] as const)('of %i for %s is %s', (status, method, expected) => {
    const body = method === 'POST' || method === 'PUT' ? 'content' : null
    const next = followRedirect(
      request({ method, body, headers: { 'content-type': 'text/plain', accept: 'x/y' } }),
      status,
      '/n',
    )
    expect(next?.method).toBe(expected)
    expect(next?.body).toBe(expected === method ? body : null)
    expect(next?.headers.accept).toBe('x/y')
    expect('content-type' in next!.headers).toBe(expected === method)
  })

  test.each([200, 204, 300, 304, 305, 306, 400, 503])('%i is not a redirect', status => {
    expect(followRedirect(request(), status, '/next')).toBe(null)
  })

  test('a redirect without a Location is a response', () => {
    expect(followRedirect(request(), 302, undefined)).toBe(null)
  })
})

describe('headers', () => {
  const secret = {
    authorization: 'Bearer x',
    cookie: 'a=b',
    'x-api-key': 'k',
    host: 'vhost',
    accept: 'text/csv',
    range: 'bytes=5-',
  }

  test('are all kept within an origin', () => {
    expect(followRedirect(request({ headers: secret }), 307, '/other')?.headers).toEqual(secret)
  })

  test.each(['https://b.example/', 'http://a.example/', 'https://a.example:8443/', '//a.example.b.example/'])(
    'are only kept if harmless when redirected to %s',
    location => {
      const next = followRedirect(request({ headers: secret }), 307, location)
      expect(next?.headers).toEqual({ accept: 'text/csv', range: 'bytes=5-' })
    },
  )
})

test('the location is relative to the last URL, without its fragment and credentials', () => {
  const places = ['next?y', '?z', '//u:p@b.example/#f'].map(
    location => followRedirect(request(), 302, location)?.url.href,
  )
  expect(places).toEqual(['https://a.example/next?y', 'https://a.example/first?z', 'https://b.example/'])
})

test.each(['file:///etc/passwd', 'javascript:alert(1)', 'http://', 'https://[::1', 'data:text/plain,x'])(
  '%s is not followed',
  location => {
    expect(() => followRedirect(request(), 302, location)).toThrow(
      expect.objectContaining({ code: 'redirect_refused' }),
    )
  },
)
