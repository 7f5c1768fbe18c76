import { expect, test } from 'vitest'
import { commandDefinition } from '../../executors/command/definition.ts'
import { httpDefinition } from '../../executors/http/definition.ts'
import type { WorkflowDefinition } from '../../model/workflow-definition.ts'
import { hideSecrets, missingSecrets, restoreSecrets, secretNamesOf } from './definition-secrets.ts'

const hide = (definition: WorkflowDefinition) => hideSecrets(definition, [commandDefinition])

const nightly: WorkflowDefinition = {
  name: 'nightly',
  environment: { API_TOKEN: 'one', PIN: 'two', PLAIN: 'three' },
  payload: [
    { command: 'a', environment: { DB_PASSWORD: 'four' }, secrets: ['PIN'] },
    { command: 'b', sinks: [{ type: 'webhook', url: 'https://a.example', headers: { Cookie: 'five' } }] },
  ],
  sinks: [{ type: 's3', bucket: 'b', access_key_id: 'id', secret_access_key: 'six' }],
}

test('secrets are taken out by their path, and a name that one item lists is secret for all', () => {
  const { shown, secrets } = hide(nightly)
  expect(secrets).toEqual({
    'environment.API_TOKEN': 'one',
    'environment.PIN': 'two',
    'payload.0.environment.DB_PASSWORD': 'four',
    'payload.1.sinks.0.headers.Cookie': 'five',
    'sinks.0.secret_access_key': 'six',
  })
  expect(shown.environment).toEqual({ API_TOKEN: '***', PIN: '***', PLAIN: 'three' })
  expect(JSON.stringify(shown)).not.toMatch(/one|two|four|five|six/)
})

test('a definition that is sent back as it was shown keeps its secrets', () => {
  const hidden = hide(nightly)
  expect(restoreSecrets(hidden.shown, hidden)).toEqual(nightly)
})

test('a moved item keeps its own secrets, a changed one those of its position', () => {
  const hidden = hide({
    name: 'x',
    payload: ['one', 'two'].map(token => ({ command: token, environment: { A_TOKEN: token } })),
  })
  const [first, second] = hidden.shown.payload
  expect(restoreSecrets({ payload: [second, first] }, hidden).payload).toMatchObject([
    { command: 'two', environment: { A_TOKEN: 'two' } },
    { command: 'one', environment: { A_TOKEN: 'one' } },
  ])
  expect(restoreSecrets({ payload: [{ ...first, command: 'other' }] }, hidden).payload).toMatchObject([
    { command: 'other', environment: { A_TOKEN: 'one' } },
  ])
})

test('a masked secret without a stored value is reported with its path', () => {
  const hidden = hide({ name: 'x', payload: [{ command: 'a', environment: { A_TOKEN: '***' } }] })
  expect(missingSecrets(hidden.secrets)).toMatchObject([{ path: 'payload.0.environment.A_TOKEN' }])
})

test('a secret is not sent to a new address: it must be given again', () => {
  const hook = { type: 'webhook', url: 'https://a.example/hook', headers: { Authorization: 'one' } } as const
  const bucket = {
    type: 's3',
    bucket: 'b',
    endpoint: 'https://s3.example',
    access_key_id: 'i',
    secret_access_key: 'two',
  }
  const request = { url: 'https://c.example/path', headers: { Cookie: 'three' } }
  const hidden = hideSecrets(
    { name: 'x', payload: [{ http: request, sinks: [hook] }], sinks: [hook, bucket] } as unknown as WorkflowDefinition,
    [commandDefinition, httpDefinition],
  )
  const [shownHook, shownBucket] = hidden.shown.sinks!
  const [item] = hidden.shown.payload
  const restored = (change: object) => JSON.stringify(restoreSecrets({ ...hidden.shown, ...change }, hidden))
  const moved = { ...shownHook, url: 'https://evil.example/hook' }
  expect(restored({})).toMatch(/one.*three.*one.*two|three.*one.*one.*two/)
  expect(restored({ sinks: [moved], payload: [] })).not.toMatch(/one|two/)
  expect(restored({ sinks: [moved, shownHook], payload: [] })).toContain('one')
  expect(restored({ sinks: [{ ...shownHook, type: 's3' }], payload: [] })).not.toContain('one')
  expect(restored({ sinks: [shownHook, { ...shownBucket, endpoint: 'https://evil.example' }] })).not.toContain('two')
  expect(restored({ sinks: [shownHook, { ...shownBucket, bucket: 'other' }] })).toContain('two')
  expect(restored({ sinks: [], payload: [{ ...item, sinks: [moved] }] })).not.toContain('one')
  for (const url of [
    'https://evil.example/path',
    'http://c.example/path',
    'https://c.example:444/',
    'https://c.example@evil.example/',
  ])
    expect(restored({ payload: [{ ...item, http: { ...(item!.http as object), url } }] })).not.toContain('three')
  const elsewhere = { ...(item!.http as object), url: 'https://c.example/other?page=2' }
  expect(restored({ payload: [{ ...item, http: elsewhere }] })).toContain('three')
})

test('the names of secret values are known from the shown definition', () => {
  expect(secretNamesOf(hide(nightly).shown)).toEqual(['API_TOKEN', 'PIN'])
})
