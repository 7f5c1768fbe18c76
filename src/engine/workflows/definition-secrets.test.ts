import { expect, test } from 'vitest'
import { commandDefinition } from '../../executors/command/definition.ts'
import type { WorkflowDefinition } from '../../model/workflow-definition.ts'
import { hideSecrets, missingSecrets, restoreSecrets } from './definition-secrets.ts'

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

test('secrets are taken out by their path; a name that an item lists is secret for all', () => {
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

test('items that have moved keep their own secrets; one that was changed keeps those of its place', () => {
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

test('a secret that is masked though nothing is kept there is told with its place', () => {
  const hidden = hide({ name: 'x', payload: [{ command: 'a', environment: { A_TOKEN: '***' } }] })
  expect(missingSecrets(hidden.secrets)).toMatchObject([{ path: 'payload.0.environment.A_TOKEN' }])
})
