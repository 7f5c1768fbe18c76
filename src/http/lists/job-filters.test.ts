import { expect, test } from 'vitest'
import { mergeFilters, toJobFilters } from './job-filters.ts'

const ID = '0199aaaa-0000-7000-8000-000000000001'

test('filters are converted for the store', () => {
  const filters = toJobFilters({
    status: ['queued', 'running'],
    kind: ['command'],
    trigger: 'manual',
    parent_job_id: ID,
    name: 'night',
    label: ['team:data', 'url:http://x'],
    queue: 'slow',
    datasource: 'visits',
    pipe: 'per_day',
    created_after: '2026-11-21T00:00:00Z',
    created_before: '2026-11-21T01:00:00.500+01:00',
  })
  expect(filters).toEqual({
    status: ['queued', 'running'],
    kind: ['command'],
    trigger: 'manual',
    parentJobId: ID,
    name: 'night',
    labels: [
      { key: 'team', value: 'data' },
      { key: 'url', value: 'http://x' },
    ],
    queue: 'slow',
    dataSource: 'visits',
    pipe: 'per_day',
    createdAfter: Date.UTC(2026, 10, 21),
    createdBefore: Date.UTC(2026, 10, 21, 0, 0, 0, 500),
  })
})

test.each([
  [{ created_after: 'yesterday' }, 'created_after'],
  [{ created_before: '2026-13-01T00:00:00Z' }, 'created_before'],
  [{ created_before: '2026-11-21' }, 'created_before'],
  [{ label: ['team'] }, 'label'],
  [{ label: [':x'] }, 'label'],
])('%j is refused at %s', (fields, path) => {
  expect(() => toJobFilters(fields)).toThrow(path)
})

test.each([{ run_id: 'abc' }, { workflow_id: `${ID}'` }, { parent_job_id: '' }])('%j can match nothing', fields => {
  expect(toJobFilters(fields)).toBeNull()
})

test('a filter may be in the query or in the body, not in both', () => {
  expect(mergeFilters({ queue: 'a' }, { name: 'b' })).toEqual({ queue: 'a', name: 'b' })
  expect(() => mergeFilters({ queue: 'a' }, { queue: 'a' })).toThrow('queue')
})
