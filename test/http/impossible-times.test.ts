import { afterAll, beforeAll, describe, expect } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { type Scenario, scenarios } from './scenario.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

/** Each was once taken for another time, or refused without a reason. */
const IMPOSSIBLE = {
  '2027-02-31T00:00:00Z': '2027-02 has days 01 to 28',
  '2027-01-01T24:00:00Z': 'hours are 00 to 23',
  '2027-01-15T23:59:60Z': 'a leap second',
} as const

const payload = [{ command: 'true' }]
const schedule = (more: object) => ({ name: 'w', payload, schedule: { intervals: [{ every: '1h' }], ...more } })

/** Every field of the API that takes a time. */
const places = (
  time: string,
): readonly (Pick<Scenario, 'method' | 'path' | 'json' | 'status'> & { field: string })[] => {
  const query = encodeURIComponent(time)
  const post = (path: string, field: string, json: unknown) => ({ method: 'POST', path, field, json, status: 422 })
  const get = (path: string, field: string) => ({ path: `${path}?${field}=${query}`, field, status: 422 })
  return [
    post('/v1/jobs', 'scheduled_at', { command: 'true', scheduled_at: time }),
    post('/v1/jobs/batch', 'jobs.0.scheduled_at', { jobs: [{ command: 'true', scheduled_at: time }] }),
    post('/v1/tokens', 'expires_at', { name: 't', role: 'reader', expires_at: time }),
    post('/v1/workflows', 'schedule.start_at', schedule({ start_at: time })),
    post('/v1/workflows', 'schedule.end_at', schedule({ end_at: time })),
    post(
      '/v1/workflows/check',
      'schedule.intervals.0.anchor',
      schedule({ intervals: [{ every: '1h', anchor: time }] }),
    ),
    post('/v1/schedules/preview', 'after', { schedule: { intervals: [{ every: '1h' }] }, after: time }),
    post('/v1/schedules/preview', 'schedule.end_at', { schedule: { intervals: [{ every: '1h' }], end_at: time } }),
    post('/v1/workflows/none/trigger', 'scheduled_at', { scheduled_at: time }),
    post('/v1/jobs/cancel', 'created_before', { created_before: time }),
    get('/v1/jobs', 'created_after'),
    get('/v1/jobs', 'created_before'),
    get('/v1/runs', 'created_after'),
    get('/v1/runs', 'created_before'),
    get('/v1/analytics', 'from'),
    get('/v1/analytics', 'to'),
    { ...get('/v0/jobs', 'created_after'), status: 400 },
  ]
}

for (const [time, why] of Object.entries(IMPOSSIBLE)) {
  describe(`${time} is refused with the reason and a valid form`, () => {
    scenarios(
      () => server,
      places(time).map(({ field, ...place }) => ({
        ...place,
        name: `${field} of ${place.method ?? 'GET'} ${place.path.split('?')[0]}`,
        code: 'invalid',
        fields: [field],
        matches: { detail: expect.stringContaining(place.status === 400 ? 'ISO 8601' : why) },
      })),
    )
  })
}
