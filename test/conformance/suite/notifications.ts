import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, WORKSPACE } from './scene.ts'
import { NO_SCHEDULE, newRun, WorkflowScene } from './workflow-scene.ts'

export const notificationTests: AreaTests = scene => {
  const steps = new WorkflowScene(scene)
  const now = () => scene().clock.now()
  const list = async (overrides: object = {}) => {
    const page = { workspace: WORKSPACE, unreadOnly: false, limit: 100, cursor: null, ...overrides }
    const { notifications } = await scene().store.listNotifications(page)
    expect(await scene().store.countNotifications(page)).toBe(notifications.length)
    return notifications
  }
  const prefer = (preference: 'alerts' | 'all' | 'none') =>
    scene().store.setNotificationPreference({ workspace: WORKSPACE, preference })
  /** A run of one item that fails or completes. */
  const run = async (workflow: { id: string; version: number }, end = failure()) => {
    const runId = await steps.start(workflow)
    await steps.workOff(end)
    return runId
  }
  const failures = async (workflow: { id: string }) => (await steps.workflow(workflow.id)).consecutiveFailures

  test('consecutive failures: a completed run sets them to 0, a failed one adds one, a terminated one neither', async () => {
    const workflow = await steps.create()
    await run(workflow)
    await run(workflow)
    expect(await failures(workflow)).toBe(2)
    const terminated = await steps.start(workflow)
    await scene().store.terminateRun({ workspace: WORKSPACE, runId: terminated, graceMs: null })
    expect(await failures(workflow)).toBe(2)
    await run(workflow, COMPLETE)
    expect(await failures(workflow)).toBe(0)
    await run(workflow)
    expect(await failures(workflow)).toBe(1)
  })

  test('at the limit the workflow and its other open runs are terminated, with a notification', async () => {
    const workflow = await steps.create({ name: 'fragile', maxConsecutiveFailures: 2 })
    await run(workflow)
    expect(await list()).toEqual([])
    const failing = await steps.start(workflow)
    const [item] = await scene().claim()
    const open = await steps.start(workflow, 7)
    const later = newRun(workflow, 1, { trigger: 'manual' })
    await steps.trigger(workflow, later, { scheduledAt: now() + 1000 })
    await scene().end(item!, failure())
    expect(await steps.workflow(workflow.id)).toMatchObject({ state: 'terminated', consecutiveFailures: 2 })
    for (const runId of [open, later.id])
      expect(await steps.run(runId)).toMatchObject({ status: 'terminated', statusReason: 'workflow_terminated' })
    expect(await scene().claim()).toEqual([])
    expect(await list()).toEqual([
      {
        id: expect.any(String),
        workspace: WORKSPACE,
        type: 'workflow.terminated',
        title: expect.stringContaining('fragile'),
        message: expect.any(String),
        workflowId: workflow.id,
        runId: failing,
        jobId: null,
        createdAt: now(),
        readAt: null,
      },
    ])
  })

  test('a manual run of a terminated workflow does not count even if the workflow is resumed before the run ends', async () => {
    const workflow = await steps.create({ maxConsecutiveFailures: 1 })
    const key = { workspace: WORKSPACE, workflow: workflow.id }
    await scene().store.terminateWorkflow({ ...key, graceMs: null })
    const tried = await steps.start(workflow)
    const item = await scene().claimOne()
    const later = newRun(workflow, 1, { trigger: 'manual' })
    await steps.trigger(workflow, later, { scheduledAt: now() + 1000 })
    await scene().store.resumeWorkflow({ ...key, timing: NO_SCHEDULE })
    await scene().end(item, failure())
    expect(await steps.run(tried)).toMatchObject({ status: 'failed' })
    expect(await steps.workflow(workflow.id)).toMatchObject({ state: 'active', consecutiveFailures: 0 })
    scene().clock.advance(1000)
    await scene().store.startDueRuns({ limit: 10 })
    await steps.workOff(failure())
    expect(await steps.run(later.id)).toMatchObject({ status: 'failed' })
    expect(await steps.workflow(workflow.id)).toMatchObject({ state: 'active', consecutiveFailures: 0 })
    await run(workflow)
    expect(await steps.workflow(workflow.id)).toMatchObject({ state: 'terminated', consecutiveFailures: 1 })
  })

  test('a manual run of a terminated workflow that completes after the resume does not set the failures to 0', async () => {
    const workflow = await steps.create()
    const key = { workspace: WORKSPACE, workflow: workflow.id }
    await scene().store.terminateWorkflow({ ...key, graceMs: null })
    await steps.start(workflow)
    const item = await scene().claimOne()
    await scene().store.resumeWorkflow({ ...key, timing: NO_SCHEDULE })
    await run(workflow)
    await scene().end(item)
    expect(await failures(workflow)).toBe(1)
  })

  test('manual runs of a terminated workflow do not count', async () => {
    const workflow = await steps.create({ maxConsecutiveFailures: 1 })
    await run(workflow)
    await run(workflow)
    expect(await failures(workflow)).toBe(1)
    await run(workflow, COMPLETE)
    expect(await failures(workflow)).toBe(1)
    expect(await list()).toHaveLength(1)
    const key = { workspace: WORKSPACE, workflow: workflow.id }
    expect(await scene().store.resumeWorkflow({ ...key, timing: NO_SCHEDULE })).toMatchObject({
      state: 'active',
      consecutiveFailures: 0,
    })
  })

  test('runs that fail at once are all counted', async () => {
    const workflow = await steps.create()
    const runs = await Promise.all(Array.from({ length: 12 }, () => steps.start(workflow)))
    const jobs = await scene().claim()
    expect(jobs).toHaveLength(12)
    await Promise.all(jobs.map(job => scene().end(job, failure())))
    expect(await failures(workflow)).toBe(12)
    for (const runId of runs) expect(await steps.run(runId)).toMatchObject({ status: 'failed' })
  })

  test('only alerts are shown, unless the workspace prefers all or none', async () => {
    const workflow = await steps.create({ maxConsecutiveFailures: 2 })
    const first = await run(workflow)
    await run(workflow)
    expect(await scene().store.getNotificationPreference({ workspace: WORKSPACE })).toBe('alerts')
    expect((await list()).map(notification => notification.type)).toEqual(['workflow.terminated'])
    await prefer('all')
    expect(await scene().store.getNotificationPreference({ workspace: WORKSPACE })).toBe('all')
    const all = await list()
    expect(all.map(notification => notification.type).sort()).toEqual([
      'run.failed',
      'run.failed',
      'workflow.terminated',
    ])
    expect(all.at(-1)).toMatchObject({ type: 'run.failed', runId: first, workflowId: workflow.id })
    await prefer('none')
    expect(await list()).toEqual([])
    expect(await scene().store.getNotificationPreference({ workspace: 'other' })).toBe('alerts')
  })

  test('notifications are listed newest first, page by page', async () => {
    await prefer('all')
    const workflow = await steps.create()
    const runs = [await run(workflow), await run(workflow), await run(workflow)]
    const seen: (string | null)[] = []
    let cursor: string | null = null
    do {
      const page = await scene().store.listNotifications({ workspace: WORKSPACE, unreadOnly: false, limit: 1, cursor })
      seen.push(...page.notifications.map(notification => notification.runId))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(runs.reverse())
    expect(await list({ workspace: 'other' })).toEqual([])
    await expect(list({ cursor: 'nonsense' })).rejects.toMatchObject({ code: 'invalid_cursor' })
  })

  test('notifications are marked as read, some or all, once', async () => {
    await prefer('all')
    const workflow = await steps.create()
    for (let index = 0; index < 3; index++) await run(workflow)
    const [newest] = await list()
    const mark = (ids: readonly string[] | null, workspace = WORKSPACE) =>
      scene().store.markNotificationsRead({ workspace, ids })
    expect(await mark([newest!.id], 'other')).toBe(0)
    expect(await mark([newest!.id, newId(), 'nonsense'])).toBe(1)
    expect(await mark([newest!.id])).toBe(0)
    expect((await list())[0]).toMatchObject({ id: newest!.id, readAt: now() })
    expect(await list({ unreadOnly: true })).toHaveLength(2)
    expect(await mark(null)).toBe(2)
    expect(await list({ unreadOnly: true })).toEqual([])
    expect(await list()).toHaveLength(3)
  })

  test('`notification` signals those that the workspace prefers to see', async () => {
    const told = () => scene().signals.flatMap(signal => (signal.type === 'notification' ? signal.notification : []))
    const first = await run(await steps.create({ maxConsecutiveFailures: 1 }))
    await scene().eventually(() => told().length === 1)
    expect(told()).toMatchObject([{ type: 'workflow.terminated', runId: first }])
    await prefer('all')
    const second = await run(await steps.create())
    await scene().eventually(() => told().length === 2)
    expect(told()[1]).toMatchObject({ type: 'run.failed', runId: second })
  })

  test('old notifications are purged', async () => {
    await prefer('all')
    const workflow = await steps.create()
    await run(workflow)
    await run(workflow)
    scene().clock.advance(1)
    await run(workflow)
    const purge = () => scene().store.purgeNotifications({ createdBefore: now(), limit: 1 })
    expect([await purge(), await purge(), await purge()]).toEqual([1, 1, 0])
    expect(await list()).toHaveLength(1)
  })
}
