import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { NewToken, WorkerBeat } from '../../../src/store/store.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, logPart, newJobs } from './scene.ts'
import { WorkflowScene } from './workflow-scene.ts'

export const workspaceTests: AreaTests = scene => {
  const token = (overrides: Partial<NewToken> = {}): NewToken => ({
    id: newId(),
    workspace: 'default',
    name: 'ci',
    role: 'operator',
    scopes: ['jobs:read', 'jobs:write'],
    hash: newId(),
    expiresAt: null,
    ...overrides,
  })
  const beat = (id: string): WorkerBeat => ({
    id,
    host: 'machine',
    pid: 42,
    roles: ['api', 'worker'],
    slots: 4,
    startedAt: scene().clock.now(),
  })

  test('the default workspace exists from the start', async () => {
    expect(await scene().store.listWorkspaces()).toMatchObject([{ id: 'default', name: 'default' }])
  })

  test('a workspace is created once', async () => {
    const workspace = { id: 'w-1', name: 'team' }
    expect(await scene().store.createWorkspace(workspace)).toEqual({ ...workspace, createdAt: scene().clock.now() })
    expect(await scene().store.createWorkspace({ id: 'w-2', name: 'team' })).toBe('exists')
    expect(await scene().store.createWorkspace({ id: 'w-1', name: 'other' })).toBe('exists')
    expect((await scene().store.listWorkspaces()).map(workspace => workspace.name).sort()).toEqual(['default', 'team'])
  })

  test('invariant 11: every method treats what another workspace owns as if it did not exist', async () => {
    await scene().store.createWorkspace({ id: 'other', name: 'other' })
    const { store } = scene()
    const job = await scene().finished({ name: 'x', labels: { a: 'b' } }, COMPLETE, [logPart(1, 1)])
    const artifact = {
      id: newId(),
      jobId: job.id,
      name: 'a',
      attempt: null,
      sha256: 'ab',
      size: 1,
      contentType: 'text/plain',
      createdAt: 0,
    }
    await store.addArtifact({ workspace: 'default', artifact, blobKey: 'key' })
    const stranger = { workspace: 'other', jobId: job.id }
    expect(await store.getJob(stranger)).toBeNull()
    expect(await store.getSubmission(stranger)).toBeNull()
    expect(await store.listAttempts(stranger)).toBeNull()
    expect(await store.listArtifacts(stranger)).toBeNull()
    expect(await store.getArtifact({ ...stranger, artifactId: artifact.id })).toBeNull()
    expect(await store.listLogParts({ ...stranger, fromSeq: 1, limit: 1 })).toBeNull()
    expect(await store.purgeJob(stranger)).toBe('not_found')
    expect(await store.cancelJob({ ...stranger, reason: 'cancelled_by_user', graceMs: null })).toEqual({
      type: 'not_found',
    })
    expect(await store.setProgress({ ...stranger, progress: { percentage: 1, message: null } })).toBe('not_found')
    for (const filters of [
      {},
      { name: 'x' },
      { labels: [{ key: 'a', value: 'b' }] },
      { status: ['completed' as const] },
    ]) {
      expect((await store.listJobs({ workspace: 'other', filters, limit: 10, cursor: null })).jobs).toEqual([])
      expect(await store.countJobs({ workspace: 'other', filters })).toBe(0)
    }
    await scene().submitOne()
    const cancelled = await store.cancelMatching({
      workspace: 'other',
      filters: {},
      reason: 'cancelled_by_user',
      limit: 10,
    })
    expect(cancelled).toEqual({ cancelled: 0, cancelling: 0 })
    expect(await scene().claim()).toHaveLength(1)
  })

  test('a token is found by its hash until it expires or is deleted', async () => {
    const { store } = scene()
    const forever = token()
    const short = token({ name: 'short', role: null, expiresAt: scene().clock.now() + 1000 })
    const createdAt = scene().clock.now()
    expect(await store.createToken(forever)).toEqual({ ...forever, createdAt })
    await store.createToken(short)
    expect(await store.findToken({ hash: forever.hash })).toEqual({ ...forever, createdAt })
    expect(await store.findToken({ hash: short.hash })).toEqual({ ...short, createdAt })
    expect(await store.findToken({ hash: 'unknown' })).toBeNull()
    scene().clock.advance(1000)
    expect(await store.findToken({ hash: short.hash })).toBeNull()
    expect(await store.deleteToken({ workspace: 'default', tokenId: forever.id })).toBe(true)
    expect(await store.deleteToken({ workspace: 'default', tokenId: forever.id })).toBe(false)
    expect(await store.findToken({ hash: forever.hash })).toBeNull()
  })

  test('invariant 11: tokens are listed and deleted only in their workspace', async () => {
    await scene().store.createWorkspace({ id: 'other', name: 'other' })
    const mine = token()
    await scene().store.createToken(mine)
    await scene().store.createToken(token({ workspace: 'other' }))
    expect((await scene().store.listTokens({ workspace: 'default' })).map(token => token.id)).toEqual([mine.id])
    expect(await scene().store.deleteToken({ workspace: 'other', tokenId: mine.id })).toBe(false)
    expect(await scene().store.findToken({ hash: mine.hash })).not.toBeNull()
  })

  test('workers are listed with when they were last seen and what they run', async () => {
    const { store } = scene()
    const first = beat('worker-1')
    await store.beatWorker(first)
    await store.beatWorker(beat('worker-2'))
    await scene().submit(newJobs(3))
    await scene().claim(2, 'worker-1')
    scene().clock.advance(5000)
    await store.beatWorker(first)
    const workers = [...(await store.listWorkers())].sort((a, b) => a.id.localeCompare(b.id))
    expect(workers).toEqual([
      { ...first, seenAt: scene().clock.now(), running: 2 },
      { ...beat('worker-2'), startedAt: first.startedAt, seenAt: scene().clock.now() - 5000, running: 0 },
    ])
    expect(await store.purgeWorkers({ seenBefore: scene().clock.now() - 1000, limit: 10 })).toBe(1)
    expect((await store.listWorkers()).map(worker => worker.id)).toEqual(['worker-1'])
  })

  test('statistics count live jobs by status and kind and know the oldest queued one', async () => {
    const start = scene().clock.now()
    expect(await scene().store.queueStatistics()).toEqual({
      counts: [],
      oldestQueuedAt: null,
      openRuns: 0,
      pendingDeliveries: 0,
    })
    await scene().submit(newJobs(3))
    scene().clock.advance(1000)
    await scene().submit([...newJobs(2, { kind: 'http' }), ...newJobs(1, { scheduledAt: start + 1e6 })])
    await scene().finished({ priority: 9 })
    await scene().claim(1)
    const { counts, oldestQueuedAt } = await scene().store.queueStatistics()
    expect(oldestQueuedAt).toBe(start)
    const byKey = Object.fromEntries(counts.map(({ status, kind, count }) => [`${status} ${kind}`, count]))
    expect(byKey).toEqual({ 'queued command': 2, 'running command': 1, 'queued http': 2, 'pending command': 1 })
  })

  test('statistics count open runs and pending deliveries', async () => {
    const steps = new WorkflowScene(scene)
    const workflow = await steps.create()
    await steps.start(workflow)
    await steps.start(workflow, 2)
    await scene().finished({ sinks: [{ index: 0, onFailure: true }], priority: 9 })
    expect(await scene().store.queueStatistics()).toMatchObject({ openRuns: 2, pendingDeliveries: 1 })
    await steps.workOff()
    expect(await scene().store.queueStatistics()).toMatchObject({ openRuns: 0, pendingDeliveries: 1 })
  })

  test('settings survive reopening', async () => {
    expect(await scene().store.getSetting({ name: 'instance' })).toBeNull()
    await scene().store.setSetting({ name: 'instance', value: 'one' })
    await scene().store.setSetting({ name: 'instance', value: 'two' })
    await scene().reopen()
    expect(await scene().store.getSetting({ name: 'instance' })).toBe('two')
  })

  test('a setting is replaced only if it has the expected value, by one of several', async () => {
    const replace = (from: string | null, to: string) => scene().store.replaceSetting({ name: 'home', from, to })
    expect(await replace('nobody', 'one')).toBe(false)
    expect(await scene().store.getSetting({ name: 'home' })).toBeNull()
    const first = await Promise.all(['one', 'two', 'three'].map(to => replace(null, to)))
    expect(first.filter(Boolean)).toHaveLength(1)
    const now = (await scene().store.getSetting({ name: 'home' }))!
    expect(now).toBe(['one', 'two', 'three'][first.indexOf(true)])
    const next = await Promise.all(['four', 'five'].map(to => replace(now, to)))
    expect(next.filter(Boolean)).toHaveLength(1)
    expect(await replace(null, 'six')).toBe(false)
    await scene().reopen()
    expect(await scene().store.getSetting({ name: 'home' })).toBe(['four', 'five'][next.indexOf(true)])
  })

  test('a ping of a writable store succeeds', async () => {
    await expect(scene().store.ping()).resolves.toBeUndefined()
  })
}
