import { expect, test } from 'vitest'
import { takeSecrets } from './secrets.ts'

test('values of names that look secret, or are listed, leave the body', () => {
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

test('the given body stays as it was', () => {
  const body = { environment: { MY_KEY: 'secret' } }
  takeSecrets(body, ['environment'], [])
  expect(body).toEqual({ environment: { MY_KEY: 'secret' } })
})

test('nested maps are found, and listed names that stand nowhere are told', () => {
  const taken = takeSecrets(
    { http: { url: 'u', headers: { Authorization: 'Bearer x' } } },
    ['http.headers'],
    ['Nowhere'],
  )
  expect(taken.body).toEqual({ http: { url: 'u', headers: { Authorization: '***' } } })
  expect(taken.secrets).toEqual({ 'http.headers.Authorization': 'Bearer x' })
  expect(taken.unknown).toEqual(['Nowhere'])
})
