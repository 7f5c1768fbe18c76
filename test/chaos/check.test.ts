import { describe, expect, test } from 'vitest'
import { checkJob, type Evidence } from './check.ts'
import { JOB_SORTS } from './job-sorts.ts'

const sort = JOB_SORTS.find(({ name }) => name === 'quick')!

/** A job that went well at its second attempt, after its first was lost. */
const kept: Evidence = {
  acknowledged: { jobId: 'j', sort, lines: 2, cancel: 'none' },
  job: { job_id: 'j', status: 'completed', status_reason: null, exit_code: 0, attempt: 2, system_attempts: 1 },
  attempts: [1, 2],
  log: [
    { seq: 1, attempt: 1, stream: 'stdout', line: 'line 1 1' },
    { seq: 2, attempt: 2, stream: 'stdout', line: 'line 2 1' },
    { seq: 3, attempt: 2, stream: 'stdout', line: 'line 2 2' },
  ],
  trace: ['start 1', 'start 2', 'end 2'],
}
const job = kept.job!

describe('the checker of the chaos run', () => {
  test('accepts a job that kept every promise', () => {
    expect(checkJob(kept)).toEqual([])
  })

  test.each<[string, Evidence, RegExp]>([
    ['is lost', { ...kept, job: null }, /is lost/],
    ['never ends', { ...kept, job: { ...job, status: 'running' } }, /stuck/],
    [
      'ends otherwise than it must',
      { ...kept, job: { ...job, status: 'failed', status_reason: 'worker_lost' } },
      /should have completed/,
    ],
    ['has the wrong exit code', { ...kept, job: { ...job, exit_code: 1 } }, /exit code 1/],
    [
      'ignores a promised cancel',
      { ...kept, acknowledged: { ...kept.acknowledged, cancel: 'promised' } },
      /was not cancelled/,
    ],
    ['was cancelled although nobody cancelled it', { ...kept, job: { ...job, status: 'cancelled' } }, /by nobody/],
    ['runs an attempt twice', { ...kept, trace: ['start 1', 'start 2', 'start 2', 'end 2'] }, /twice/],
    ['has two live attempts', { ...kept, trace: ['start 1', 'overlap 2', 'start 2', 'end 2'] }, /at once/],
    ['ran an unknown attempt', { ...kept, trace: ['start 3', 'end 2'] }, /nobody knows/],
    ['forgets an attempt', { ...kept, attempts: [2] }, /lists attempts 2/],
    ['is completed without having run to its end', { ...kept, trace: ['start 1', 'start 2'] }, /never reached its end/],
    ['has a gap in its log', { ...kept, log: kept.log.map(line => ({ ...line, seq: line.seq * 2 })) }, /gap/],
    ['loses its last line', { ...kept, log: kept.log.slice(0, 2) }, /1 of 2 lines/],
    [
      'loses a line in the middle',
      { ...kept, log: [kept.log[0]!, { ...kept.log[2]!, seq: 2 }] },
      /lost lines of attempt 2/,
    ],
  ])('reports a job that %s', (_, evidence, fault) => {
    expect(checkJob(evidence).join()).toMatch(fault)
  })

  test('accepts a job that failed after it was lost to three kills', () => {
    const lost = { ...job, status: 'failed', status_reason: 'worker_lost', exit_code: null, system_attempts: 3 }
    expect(checkJob({ ...kept, job: lost })).toEqual([])
  })
})
