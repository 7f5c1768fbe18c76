import { expect, test } from 'vitest'
import { exitCodeOf } from './exit-code.ts'

const ended = { status: 'failed', status_reason: null, exit_code: null, signal: null } as const

test.each([
  ['a completed job is 0', { ...ended, status: 'completed', exit_code: 0 }, 0],
  ['a failed command is its own code', { ...ended, status_reason: 'exit_code', exit_code: 42 }, 42],
  ['a signal is 128 and its number', { ...ended, status_reason: 'signal', signal: 'SIGSEGV' }, 139],
  ['an unknown signal is 1', { ...ended, status_reason: 'signal', signal: 'SIGNEW' }, 1],
  ['a timeout is 1, whatever signal ended it', { ...ended, status_reason: 'timeout', signal: 'SIGTERM' }, 1],
  ['a cancelled job is 1', { ...ended, status: 'cancelled', status_reason: 'cancelled_by_user', exit_code: 0 }, 1],
  ['a lost worker is 1', { ...ended, status_reason: 'worker_lost' }, 1],
] as const)('%s', (_name, job, code) => {
  expect(exitCodeOf(job)).toBe(code)
})
