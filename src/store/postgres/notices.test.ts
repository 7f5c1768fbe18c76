import { expect, test } from 'vitest'
import type { JobEvent } from '../../model/job.ts'
import { Notices } from './notices.ts'

const event = (jobId: string): JobEvent => ({
  jobId,
  workspace: 'default',
  kind: 'command',
  runId: null,
  workflowId: null,
  parentJobId: null,
  status: 'queued',
  statusReason: null,
  timestamp: 1,
})
const nothing = {
  queued: false,
  pending: false,
  cancel: false,
  schedule: false,
  delivery: false,
  missed: false,
  events: [],
  runEvents: [],
  notifications: [],
  logsOf: [],
}

test('changes are gathered in one notice, and then start anew', () => {
  const notices = new Notices('me')
  expect(notices.isEmpty).toBe(true)
  notices.add({ queued: true, events: [event('1')] })
  notices.add({ events: [event('2')], logOf: 'a' })
  notices.add({ logOf: 'a' })
  expect(notices.isEmpty).toBe(false)
  expect(JSON.parse(notices.take())).toEqual({
    ...nothing,
    from: 'me',
    queued: true,
    events: [event('1'), event('2')],
    logsOf: ['a'],
  })
  expect(notices.isEmpty).toBe(true)
  expect(JSON.parse(notices.take())).toEqual({ ...nothing, from: 'me' })
})

test('more than fits in 8000 bytes is sent as missed', () => {
  for (const [count, length] of [
    [1000, 36],
    [59, 500],
    [1, 9000],
  ] as const) {
    const notices = new Notices('me')
    notices.add({ queued: true, events: Array.from({ length: count }, () => event('é'.repeat(length))) })
    const payload = notices.take()
    expect(Buffer.byteLength(payload)).toBeLessThan(8000)
    expect(JSON.parse(payload)).toEqual({ ...nothing, from: 'me', queued: true, missed: true })
  }
})

test('logs of very many jobs are sent as missed', () => {
  const notices = new Notices('me')
  for (let index = 0; index < 1000; index++) notices.add({ logOf: `job ${index}` })
  expect(JSON.parse(notices.take())).toEqual({ ...nothing, from: 'me', missed: true })
})
