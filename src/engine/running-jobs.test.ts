import { expect, test } from 'vitest'
import { claimedJob } from '../../test/command/attempt.ts'
import { systemClock } from '../kernel/clock.ts'
import { createRunningJobs } from './running-jobs.ts'
import { createStopSignal } from './stop-signal.ts'

const attemptOf = (job: ReturnType<typeof claimedJob>) => ({ job, stop: createStopSignal(systemClock) })

test('a lost lease of an earlier attempt does not end the newer attempt of its job', () => {
  const running = createRunningJobs()
  const first = attemptOf(claimedJob({ command: 'true' }))
  running.add(first)
  const leases = running.leases()
  const second = attemptOf({ ...first.job, attempt: 2 })
  running.add(second)
  expect(first.stop.cause).toBe('lease_lost')
  running.loseLeases(leases)
  expect(second.stop.cause).toBeNull()
  running.loseLeases(running.leases())
  expect(second.stop.cause).toBe('lease_lost')
})
