import { afterAll, beforeAll, describe } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { NOBODY, scenarios } from './scenario.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  for (const name of ['taken', 'held']) await server.call('POST', '/v1/workflows', small(name))
  await server.call('POST', '/v1/workflows/held/pause')
})
afterAll(() => server?.stop())

const small = (name: string, more: object = {}) => ({ name, payload: [{ command: 'true' }], ...more })

describe('a wrong workflow is refused with the field at fault', () => {
  const post = { method: 'POST', path: '/v1/workflows', status: 422, code: 'invalid' } as const
  const check = { ...post, path: '/v1/workflows/check' } as const
  const preview = { ...post, path: '/v1/schedules/preview' } as const
  const scheduled = (schedule: object) => small('wrong', { schedule })

  scenarios(
    () => server,
    [
      { ...post, name: 'nothing', json: {}, fields: ['name', 'payload'] },
      { ...post, name: 'a list', json: [], fields: [''] },
      { ...post, name: 'an empty payload', json: { name: 'x', payload: [] }, fields: ['payload'] },
      { ...post, name: 'an invalid item', json: { name: 'x', payload: [1] }, fields: ['payload.0'] },
      {
        ...post,
        name: 'wrong items, each with its path',
        json: { name: 'x', payload: [{ command: 'true' }, { command: 1 }, { command: 'true', priority: 1000 }] },
        fields: ['payload.1.command', 'payload.2.priority'],
      },
      { ...post, name: 'an unknown field', json: small('x', { colour: 'red' }), fields: ['colour'] },
      { ...post, name: 'a field that only the server sets', json: small('x', { version: 3 }), fields: ['version'] },
      {
        ...post,
        name: 'an item with a time',
        json: { name: 'x', payload: [{ command: 'true', scheduled_at: '2026-11-21T00:00:00Z' }] },
      },
      { ...post, name: 'a name like an id', json: small(NOBODY), fields: ['name'] },
      { ...post, name: 'a name with a line end', json: small('a\nb'), fields: ['name'] },
      { ...post, name: 'an unreadable interval', json: scheduled({ intervals: [{ every: '5 parsecs' }] }) },
      { ...post, name: 'an interval of 0', json: scheduled({ intervals: [{ every: 0 }] }) },
      {
        ...post,
        name: 'an invalid zone',
        json: scheduled({ crons: ['0 0 * * *'], time_zone: 'Mars/Olympus' }),
        fields: ['schedule.time_zone'],
      },
      {
        ...check,
        name: 'every fault of a schedule, in its schema and beyond',
        json: scheduled({
          intervals: [{ every: '5 parsecs' }, { evry: '1m' }, { every: 1 }],
          crons: ['0 25 * * *', 7],
          exclude: [{ hour: 24 }, { our: 1 }],
          time_zone: 'Mars/X',
          jiter: 3,
        }),
        fields: [
          'schedule.jiter',
          'schedule.intervals.1.evry',
          'schedule.intervals.1.every',
          'schedule.crons.1',
          'schedule.exclude.1.our',
          'schedule.time_zone',
          'schedule.intervals.0.every',
          'schedule.intervals.2.every',
          'schedule.crons.0',
          'schedule.exclude.0.hour',
        ],
      },
      {
        ...check,
        name: 'every fault of sinks, retries and items, in their schemas and beyond',
        json: {
          name: 'x',
          sinks: [{ type: 'webhook', url: 'ftp://x' }, { type: 'webhook' }],
          configuration: { retry: { initial_interval: '5 parsecs', maximum_interval: 'x' }, retri: {} },
          payload: [
            {
              http: { url: 'ftp://x' },
              prioritty: 3,
              retry: { initial_interval: 'soon', tries: 2 },
              timeout_seconds: 301,
              sinks: [{ type: 'webhook', url: 'ftp://x' }, { type: 'mail' }],
            },
          ],
        },
        fields: [
          'configuration.retri',
          'sinks.1.url',
          'sinks.0.url',
          'configuration.retry.initial_interval',
          'configuration.retry.maximum_interval',
          'payload.0.prioritty',
          'payload.0.retry.tries',
          'payload.0.sinks.1.type',
          'payload.0.timeout_seconds',
          'payload.0.retry.initial_interval',
          'payload.0.sinks.0.url',
          'payload.0.http.url',
        ],
      },
      {
        ...check,
        name: 'more than eight faults of an item',
        json: { name: 'x', payload: [{ command: 1, a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, priority: 'x' }] },
        fields: [...'abcdefgh'].map(field => `payload.0.${field}`).concat('payload.0.command', 'payload.0.priority'),
      },
      {
        ...post,
        name: 'the 31st of February',
        code: 'schedule_never_fires',
        json: scheduled({ calendars: [{ month: 'FEBRUARY', day_of_month: 31 }] }),
      },
      {
        ...post,
        name: '10,001 items',
        code: 'too_many_items',
        json: { name: 'x', payload: Array(10_001).fill({ command: 'true' }) },
      },
      { ...post, name: 'a taken name', status: 409, code: 'workflow_exists', json: small('taken') },
      { ...post, name: 'no body at all', status: 400, code: 'invalid_json' },
      { ...check, name: 'checked: an unknown field', json: small('x', { colour: 'red' }), fields: ['colour'] },
      { ...check, name: 'checked: a name that no database can store', json: small('a\u0000b'), fields: ['name'] },
      { ...check, name: 'checked: nothing', json: {}, fields: ['name', 'payload'] },
      { ...check, name: 'checked: a list', json: [[]], fields: [''] },
      { ...preview, name: 'previewed: no schedule', json: {}, fields: ['schedule'] },
      {
        ...preview,
        name: 'previewed: too many slots',
        json: { schedule: { crons: ['0 0 * * *'] }, count: 1001 },
        fields: ['count'],
      },
      {
        ...preview,
        name: 'previewed: after an invalid time',
        json: { schedule: { crons: ['0 0 * * *'] }, after: 'now' },
        fields: ['after'],
      },
      { ...preview, name: 'previewed: minute 60', json: { schedule: { calendars: [{ minute: 60 }] } } },
      {
        ...preview,
        name: 'previewed: a schedule that never fires',
        code: 'schedule_never_fires',
        json: { schedule: { calendars: [{ month: 2, day_of_month: 30 }] } },
      },
      { name: 'reading a missing one', path: '/v1/workflows/nothing', status: 404, code: 'not_found' },
      { name: 'reading one with an impossible name', path: '/v1/workflows/%00', status: 404, code: 'not_found' },
      {
        name: 'replacing a missing one',
        method: 'PUT',
        path: '/v1/workflows/nothing',
        json: small('x'),
        status: 404,
        code: 'not_found',
      },
      {
        name: 'replacing one by an empty body',
        method: 'PUT',
        path: '/v1/workflows/taken',
        json: {},
        status: 422,
        fields: ['name', 'payload'],
      },
      {
        name: 'replacing one by the name of another',
        method: 'PUT',
        path: '/v1/workflows/held',
        json: small('taken'),
        status: 409,
        code: 'workflow_exists',
      },
      {
        name: 'deleting a missing one',
        method: 'DELETE',
        path: '/v1/workflows/nothing',
        status: 404,
        code: 'not_found',
      },
      {
        name: 'pausing a missing one',
        method: 'POST',
        path: '/v1/workflows/nothing/pause',
        status: 404,
        code: 'not_found',
      },
      {
        name: 'terminating with an invalid grace period',
        method: 'POST',
        path: '/v1/workflows/taken/terminate',
        json: { timeout_seconds: -1 },
        status: 422,
        fields: ['timeout_seconds'],
      },
      {
        name: 'triggering a missing one',
        method: 'POST',
        path: '/v1/workflows/nothing/trigger',
        status: 404,
        code: 'not_found',
      },
      {
        name: 'triggering one that is paused',
        method: 'POST',
        path: '/v1/workflows/held/trigger',
        status: 409,
        code: 'workflow_paused',
      },
      {
        name: 'triggering for the past',
        method: 'POST',
        path: '/v1/workflows/taken/trigger',
        json: { scheduled_at: '2020-01-01T00:00:00Z' },
        status: 422,
        fields: ['scheduled_at'],
      },
      {
        name: 'triggering with unknown fields',
        method: 'POST',
        path: '/v1/workflows/taken/trigger',
        json: { at: 1, parameters: [] },
        status: 422,
        fields: ['at', 'parameters'],
      },
      { name: 'an invalid state', path: '/v1/workflows?state=asleep', status: 422, fields: ['state.0'] },
      { name: 'an invalid cursor', path: '/v1/workflows?cursor=abc', status: 422, code: 'invalid_cursor' },
      { name: 'a count that is neither true nor false', path: '/v1/workflows?count=2', status: 422, fields: ['count'] },
      { name: 'slots of a missing one', path: '/v1/workflows/nothing/slots', status: 404, code: 'not_found' },
      { name: 'runs of a missing one', path: '/v1/workflows/nothing/runs', status: 404, code: 'not_found' },
      { name: 'jobs of a missing one', path: '/v1/workflows/nothing/jobs', status: 404, code: 'not_found' },
      {
        name: 'jobs of another workflow',
        path: `/v1/workflows/taken/jobs?workflow_id=${NOBODY}`,
        status: 422,
        fields: ['workflow_id'],
      },
      { name: 'zero upcoming slots', path: '/v1/workflows/taken/upcoming?count=0', status: 422, fields: ['count'] },
      {
        name: 'upcoming slots of a missing one',
        path: '/v1/workflows/nothing/upcoming',
        status: 404,
        code: 'not_found',
      },
    ],
  )
})
