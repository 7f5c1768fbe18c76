import { expect, test } from 'vitest'
import { JOB_STATUSES, type JobStatus } from '../../../model/job-status.ts'
import { DATA_KINDS, wordOfKind, wordOfStatus, wordOfTime } from './words.ts'

test('every status of a job has a word', () => {
  const words = (Object.keys(JOB_STATUSES) as JobStatus[]).map(status => [status, wordOfStatus(status)])
  expect(Object.fromEntries(words)).toEqual({
    pending: 'waiting',
    queued: 'waiting',
    running: 'working',
    cancelling: 'cancelling',
    completed: 'done',
    failed: 'error',
    cancelled: 'cancelled',
  })
})

test('every data kind has a word', () => {
  expect(DATA_KINDS.map(wordOfKind)).toEqual(['import', 'populateview', 'copy', 'query', 'delete_data'])
})

test('times have microseconds and a space', () => {
  expect(wordOfTime(Date.UTC(2020, 11, 4, 15, 8, 33, 14))).toBe('2020-12-04 15:08:33.014000')
})
