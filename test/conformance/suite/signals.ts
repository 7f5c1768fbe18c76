import { expect, test } from 'vitest'
import type { AreaTests } from '../store-suite.ts'
import { failure, leaseOf, NO_EXIT, newJob, newJobs, retryIn } from './scene.ts'

export const signalTests: AreaTests = scene => {
  const heard = (type: string) => scene().signals.some(signal => signal.type === type)
  const forget = () => scene().signals.splice(0)
  const story = (jobId: string) =>
    scene()
      .events()
      .filter(event => event.jobId === jobId)
      .map(event => event.status)

  test('every change of status sends an event, in order', async () => {
    const job = await scene().start()
    await scene().end(job, retryIn(0))
    await scene().store.promoteDueJobs({ limit: 1 })
    const second = await scene().claimOne()
    await scene().end(second, { type: 'release', exit: NO_EXIT })
    const third = await scene().claimOne()
    await scene().cancel(job.id)
    await scene().end(third, { type: 'cancel', exit: NO_EXIT })
    const expected = [
      'queued',
      'running',
      'pending',
      'queued',
      'running',
      'queued',
      'running',
      'cancelling',
      'cancelled',
    ]
    await scene().eventually(() => story(job.id).length >= expected.length)
    expect(story(job.id)).toEqual(expected)
  })

  test('an event names its job, workspace, run and workflow', async () => {
    const job = newJob({ kind: 'http', workflowId: 'workflow-1', runId: 'run-1', parentJobId: 'parent-1' })
    await scene().submit([job])
    await scene().end(await scene().claimOne(), failure({ reason: 'timeout' }))
    await scene().eventually(() => scene().events().length >= 3)
    const about = {
      jobId: job.id,
      workspace: 'default',
      kind: 'http',
      workflowId: 'workflow-1',
      runId: 'run-1',
      parentJobId: 'parent-1',
      timestamp: scene().clock.now(),
    }
    expect(scene().events()).toEqual([
      { ...about, status: 'queued', statusReason: null },
      { ...about, status: 'running', statusReason: null },
      { ...about, status: 'failed', statusReason: 'timeout' },
    ])
  })

  test('a change can be read when its event arrives', async () => {
    const wrong: string[] = []
    const checks: Promise<void>[] = []
    scene().store.onSignal(signal => {
      if (signal.type !== 'events') return
      for (const event of signal.events)
        checks.push(
          scene()
            .status(event.jobId)
            .then(status => void (status === 'pending' && wrong.push(event.jobId))),
        )
    })
    await scene().submit(newJobs(20))
    await scene().eventually(() => checks.length >= 20)
    await Promise.all(checks)
    expect(wrong).toEqual([])
  })

  test('a batch sends few signals', async () => {
    await scene().submit(newJobs(1000))
    await scene().eventually(() => scene().events().length >= 1000)
    expect(scene().signals.filter(signal => signal.type === 'events').length).toBeLessThan(20)
  })

  test('`queued` signals that there is something to claim', async () => {
    await scene().submitOne()
    await scene().eventually(() => heard('queued'))
    const job = await scene().claimOne()
    forget()
    await scene().end(job, { type: 'release', exit: NO_EXIT })
    await scene().eventually(() => heard('queued'))
  })

  test('`queued` signals that a key was freed', async () => {
    await scene().submit(newJobs(2, { exclusiveKey: 'k' }))
    const job = await scene().claimOne()
    forget()
    await scene().end(job)
    await scene().eventually(() => heard('queued'))
    expect(await scene().claim()).toHaveLength(1)
  })

  test('`pending` signals that there is something to wait for', async () => {
    await scene().submitOne({ scheduledAt: scene().clock.now() + 1000 })
    await scene().eventually(() => heard('pending'))
    forget()
    await scene().end(await scene().start(), retryIn(1000))
    await scene().eventually(() => heard('pending'))
  })

  test('`queued` signals a promotion', async () => {
    await scene().submitOne({ scheduledAt: scene().clock.now() + 1000 })
    scene().clock.advance(1000)
    forget()
    await scene().store.promoteDueJobs({ limit: 10 })
    await scene().eventually(() => heard('queued'))
  })

  test('`cancel` signals that a running job is to stop, not that a queued one was cancelled', async () => {
    const job = await scene().start()
    const queued = await scene().submitOne()
    forget()
    await scene().cancel(queued.id)
    await scene().eventually(() => story(queued.id).includes('cancelled'))
    expect(heard('cancel')).toBe(false)
    await scene().cancel(job.id)
    await scene().eventually(() => heard('cancel'))
  })

  test('a refused write sends nothing', async () => {
    const job = await scene().finished()
    await scene().eventually(() => story(job.id).includes('completed'))
    forget()
    await scene().store.endAttempts([{ lease: leaseOf(job), end: retryIn(0), log: [] }])
    await scene().cancel(job.id)
    const next = await scene().submitOne()
    await scene().eventually(() => story(next.id).length === 1)
    expect(
      scene()
        .events()
        .map(event => event.jobId),
    ).toEqual([next.id])
  })

  test('a listener that has unsubscribed gets nothing more', async () => {
    const heardLater: unknown[] = []
    const leave = scene().store.onSignal(signal => heardLater.push(signal))
    leave()
    await scene().submitOne()
    await scene().eventually(() => heard('queued'))
    expect(heardLater).toEqual([])
  })
}
