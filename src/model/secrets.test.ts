import { expect, test } from 'vitest'
import { putSecrets, takeSecrets } from './secrets.ts'

test('values with secret-looking or listed names are taken out of the body', () => {
  const body = { command: 'x', environment: { API_TOKEN: 'a', password: 'b', PLAIN: 'c', LISTED: 'd' } }
  const taken = takeSecrets(body, ['environment'], ['LISTED'])
  expect(taken.body).toEqual({
    command: 'x',
    environment: { API_TOKEN: '***', password: '***', PLAIN: 'c', LISTED: '***' },
  })
  expect(taken.secrets).toEqual({
    'environment.API_TOKEN': 'a',
    'environment.password': 'b',
    'environment.LISTED': 'd',
  })
  expect(taken.unknown).toEqual([])
})

test('the given body is not changed', () => {
  const body = { environment: { MY_KEY: 'secret' } }
  takeSecrets(body, ['environment'], [])
  expect(body).toEqual({ environment: { MY_KEY: 'secret' } })
})

test('nested maps are searched, and listed names that do not occur are reported', () => {
  const taken = takeSecrets(
    { http: { url: 'u', headers: { Authorization: 'Bearer x' } } },
    ['http.headers'],
    ['Nowhere'],
  )
  expect(taken.body).toEqual({ http: { url: 'u', headers: { Authorization: '***' } } })
  expect(taken.secrets).toEqual({ 'http.headers.Authorization': 'Bearer x' })
  expect(taken.unknown).toEqual(['Nowhere'])
})

test('secrets of sinks are taken out: their own fields, and headers by name', () => {
  const sinks = [
    { type: 'webhook', url: 'https://a', secret: 'whsec_x', headers: { Authorization: 'Bearer y', Accept: 'z' } },
    { type: 's3', bucket: 'b', access_key_id: 'id', secret_access_key: 'k' },
  ]
  const taken = takeSecrets({ command: 'x', sinks }, ['environment'], [])
  expect(taken.body).toEqual({
    command: 'x',
    sinks: [
      { type: 'webhook', url: 'https://a', secret: '***', headers: { Authorization: '***', Accept: 'z' } },
      { type: 's3', bucket: 'b', access_key_id: 'id', secret_access_key: '***' },
    ],
  })
  expect(taken.secrets).toEqual({
    'sinks.0.secret': 'whsec_x',
    'sinks.0.headers.Authorization': 'Bearer y',
    'sinks.1.secret_access_key': 'k',
  })
})

test('secrets are put back in place, even with dots in names, and missing ones stay masked', () => {
  const body = { environment: { 'A.TOKEN': 'one', B_KEY: '***' }, sinks: [{ type: 'webhook', secret: 'two' }] }
  const taken = takeSecrets(body, ['environment'], [])
  expect(putSecrets(taken.body, taken.secrets)).toEqual(body)
  expect(putSecrets({ X_KEY: '***' }, taken.secrets, 'environment')).toEqual({ X_KEY: '***' })
})
