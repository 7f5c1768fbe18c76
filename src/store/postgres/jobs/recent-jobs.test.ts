import { expect, test } from 'vitest'
import { newJob } from '../../../../test/conformance/suite/scene.ts'
import { RecentJobs } from './recent-jobs.ts'

test('a job is returned once, with its creation time', () => {
  const recent = new RecentJobs()
  const job = newJob()
  recent.add([job], 7)
  expect(recent.take(job.id)).toEqual({ ...job, createdAt: 7 })
  expect(recent.take(job.id)).toBeUndefined()
})

test('the oldest are dropped when the memory limit is reached, and taken ones make room', () => {
  const recent = new RecentJobs()
  const spec = 'x'.repeat(2 ** 20)
  const jobs = Array.from({ length: 20 }, () => newJob({ spec }))
  recent.add(jobs, 0)
  const kept = jobs.filter(job => recent.take(job.id))
  expect(kept).toEqual(jobs.slice(-kept.length))
  expect(kept.length).toBeGreaterThan(10)
  expect(kept.length).toBeLessThan(17)
  recent.add(jobs.slice(0, 10), 0)
  expect(jobs.filter(job => recent.take(job.id))).toHaveLength(10)
})
