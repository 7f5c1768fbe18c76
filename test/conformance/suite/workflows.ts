import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { AreaTests } from '../store-suite.ts'
import { WORKSPACE } from './scene.ts'
import { NO_SCHEDULE, newRun, newWorkflow, nextAt, WorkflowScene } from './workflow-scene.ts'

export const workflowTests: AreaTests = scene => {
  const steps = new WorkflowScene(scene)
  const now = () => scene().clock.now()
  const get = (workflow: string, workspace = WORKSPACE) => scene().store.getWorkflow({ workspace, workflow })
  const replace = (workflow: { id: string; version: number }, overrides: object = {}) => {
    const { timing: _, ...made } = newWorkflow({ name: 'renamed' })
    const input = { ...made, workflow: workflow.id, expectedVersion: workflow.version, timing: null, ...overrides }
    return scene().store.replaceWorkflow(input)
  }
  const list = async (filters: object = {}, limit = 100) => {
    const names: string[] = []
    let cursor: string | null = null
    do {
      const page = await scene().store.listWorkflows({ workspace: WORKSPACE, filters, limit, cursor })
      names.push(...page.workflows.map(workflow => workflow.name))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(await scene().store.countWorkflows({ workspace: WORKSPACE, filters })).toBe(names.length)
    return names
  }

  test('a workflow is stored as it was created and found by id and by name', async () => {
    const slot = now() + 1000
    const input = newWorkflow({ name: 'nightly', maxConsecutiveFailures: 3, timing: nextAt(slot, slot + 5) })
    const created = await scene().store.createWorkflow(input)
    expect(created).toEqual({
      id: input.id,
      workspace: WORKSPACE,
      name: 'nightly',
      state: 'active',
      version: 1,
      definition: input.definition,
      scopes: input.scopes,
      consecutiveFailures: 0,
      maxConsecutiveFailures: 3,
      nextRunAt: slot + 5,
      lastRunAt: null,
      createdAt: now(),
      updatedAt: now(),
    })
    expect(await get(input.id)).toEqual(created)
    expect(await get('nightly')).toEqual(created)
    expect(await get(newId())).toBeNull()
    expect(await get('nightly', 'other')).toBeNull()
    expect(await get(input.id, 'other')).toBeNull()
  })

  test('only loadWorkflow returns secrets and timing', async () => {
    const secrets = Uint8Array.of(1, 2, 3)
    const timing = nextAt(now() + 1000)
    const { id } = await steps.create({ name: 'secret', secrets, timing })
    const loaded = await scene().store.loadWorkflow({ workspace: WORKSPACE, workflow: 'secret' })
    expect({ ...loaded, secrets: [...loaded!.secrets!] }).toMatchObject({ id, secrets: [1, 2, 3], timing })
    expect(Object.keys((await get(id))!)).not.toContain('secrets')
    expect(await scene().store.loadWorkflow({ workspace: 'other', workflow: id })).toBeNull()
  })

  test('a name is unique in its workspace and free in others', async () => {
    await scene().store.createWorkspace({ id: 'other', name: 'other' })
    await steps.create({ name: 'one' })
    expect(await scene().store.createWorkflow(newWorkflow({ name: 'one' }))).toBe('exists')
    expect(await scene().store.createWorkflow(newWorkflow({ name: 'one', workspace: 'other' }))).toMatchObject({
      workspace: 'other',
    })
  })

  test('of two created at once under one name one exists', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 4 }, () => scene().store.createWorkflow(newWorkflow({ name: 'same' }))),
    )
    expect(outcomes.filter(outcome => outcome === 'exists')).toHaveLength(3)
  })

  test('workflows are listed newest first, page by page, by state and by part of the name in any case', async () => {
    for (const name of ['Import Orders', 'export users', '100% done', 'import_users']) await steps.create({ name })
    await scene().store.pauseWorkflow({ workspace: WORKSPACE, workflow: 'export users' })
    expect(await list()).toEqual(['import_users', '100% done', 'export users', 'Import Orders'])
    expect(await list({}, 1)).toEqual(['import_users', '100% done', 'export users', 'Import Orders'])
    expect(await list({ query: 'IMPORT' })).toEqual(['import_users', 'Import Orders'])
    expect(await list({ query: '%' })).toEqual(['100% done'])
    expect(await list({ query: '_' })).toEqual(['import_users'])
    expect(await list({ state: ['paused'] })).toEqual(['export users'])
    expect(await list({ state: ['active'], query: 'users' }, 1)).toEqual(['import_users'])
    const page = await scene().store.listWorkflows({ workspace: WORKSPACE, filters: {}, limit: 1, cursor: null })
    const elsewhere = { workspace: 'other', filters: {}, limit: 1, cursor: page.nextCursor }
    await expect(scene().store.listWorkflows(elsewhere)).rejects.toMatchObject({ code: 'invalid_cursor' })
  })

  test('a page of a list has no more definitions than fit into memory', async () => {
    const definition = JSON.stringify({ payload: ['x'.repeat(9 * 1024 * 1024)] })
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const name of names) await steps.create({ name, definition })
    const page = await scene().store.listWorkflows({ workspace: WORKSPACE, filters: {}, limit: 100, cursor: null })
    expect(page.workflows.map(workflow => workflow.name)).toEqual(['e', 'd', 'c'])
    expect(await list()).toEqual(names.toReversed())
  })

  test('a change raises the version and keeps the timing unless that changed too', async () => {
    const timing = nextAt(now() + 1000)
    const workflow = await steps.create({ timing })
    scene().clock.advance(10)
    const changed = await replace(workflow, { definition: '{"payload":[]}', maxConsecutiveFailures: 2 })
    expect(changed).toMatchObject({
      id: workflow.id,
      name: 'renamed',
      version: 2,
      definition: '{"payload":[]}',
      maxConsecutiveFailures: 2,
      nextRunAt: now() + 990,
      createdAt: now() - 10,
      updatedAt: now(),
    })
    const again = await replace({ ...workflow, version: 2 }, { timing: NO_SCHEDULE })
    expect(again).toMatchObject({ version: 3, nextRunAt: null })
  })

  test('a change is refused when the workflow was changed meanwhile, is gone, or the name is taken', async () => {
    const workflow = await steps.create()
    await steps.create({ name: 'taken' })
    expect(await replace(workflow, { expectedVersion: 2 })).toBe('changed')
    expect(await replace(workflow, { name: 'taken' })).toBe('exists')
    expect(await replace(workflow, { workspace: 'other' })).toBe('not_found')
    expect(await replace({ id: newId(), version: 1 })).toBe('not_found')
    const outcomes = await Promise.all([replace(workflow), replace(workflow), replace(workflow)])
    expect(outcomes.filter(outcome => outcome === 'changed')).toHaveLength(2)
    expect(await steps.workflow(workflow.id)).toMatchObject({ version: 2 })
  })

  test('an active workflow can be paused and terminated, and resume makes it active again', async () => {
    const workflow = await steps.create({ timing: nextAt(now() + 1000) })
    const key = { workspace: WORKSPACE, workflow: workflow.id }
    const resume = () => scene().store.resumeWorkflow({ ...key, timing: nextAt(now() + 5000) })
    expect(await scene().store.pauseWorkflow(key)).toMatchObject({ state: 'paused', version: 1, nextRunAt: null })
    expect(await scene().store.pauseWorkflow(key)).toMatchObject({ state: 'paused', nextRunAt: null })
    expect(await steps.workflow(workflow.id)).toMatchObject({ state: 'paused', nextRunAt: null })
    expect(await resume()).toMatchObject({ state: 'active', nextRunAt: now() + 1000 })
    expect(await resume()).toMatchObject({ state: 'active', nextRunAt: now() + 1000 })
    expect(await scene().store.terminateWorkflow({ ...key, graceMs: null })).toMatchObject({
      state: 'terminated',
      nextRunAt: null,
    })
    expect(await scene().store.terminateWorkflow({ ...key, graceMs: null })).toMatchObject({ state: 'terminated' })
    expect(await scene().store.pauseWorkflow(key)).toBe('terminated')
    expect(await resume()).toMatchObject({ state: 'active', nextRunAt: now() + 5000, consecutiveFailures: 0 })
    const unknown = { workspace: 'other', workflow: workflow.id }
    expect(await scene().store.pauseWorkflow(unknown)).toBe('not_found')
    expect(await scene().store.resumeWorkflow({ ...unknown, timing: NO_SCHEDULE })).toBe('not_found')
    expect(await scene().store.terminateWorkflow({ ...unknown, graceMs: null })).toBe('not_found')
  })

  test('a workflow is deleted only when it is not active and has no open run, and its jobs and runs stay', async () => {
    const workflow = await steps.create({ name: 'short-lived' })
    const key = { workspace: WORKSPACE, workflow: 'short-lived' }
    const runId = await steps.start(workflow)
    expect(await scene().store.deleteWorkflow(key)).toBe('active')
    await scene().store.pauseWorkflow(key)
    expect(await scene().store.deleteWorkflow(key)).toBe('has_open_runs')
    await scene().store.resumeWorkflow({ ...key, timing: NO_SCHEDULE })
    const [job] = await steps.workOff()
    await scene().store.pauseWorkflow(key)
    expect(await scene().store.deleteWorkflow({ ...key, workspace: 'other' })).toBe('not_found')
    expect(await scene().store.deleteWorkflow(key)).toBe('deleted')
    expect(await scene().store.deleteWorkflow(key)).toBe('not_found')
    expect(await get('short-lived')).toBeNull()
    expect(await steps.run(runId)).toMatchObject({ status: 'completed', workflowId: workflow.id })
    expect(await scene().status(job!.id)).toBe('completed')
    expect(await steps.create({ name: 'short-lived' })).toMatchObject({ version: 1 })
  })

  test('slots and notifications are deleted with their workflow', async () => {
    const workflow = await steps.createDue(now(), { maxConsecutiveFailures: 1 })
    await steps.fire(workflow, now(), { run: null })
    const [item] = [await steps.start(workflow)]
    await scene().end(await scene().claimOne(), {
      type: 'fail',
      reason: 'exit_code',
      failure: 'user',
      message: 'no',
      exit: { exitCode: 1, signal: null },
    })
    expect(await steps.run(item!)).toMatchObject({ status: 'failed' })
    expect(await scene().store.deleteWorkflow({ workspace: WORKSPACE, workflow: workflow.id })).toBe('deleted')
    const page = { workspace: WORKSPACE, limit: 10, cursor: null }
    expect(await scene().store.listSlots({ ...page, workflow: workflow.id })).toBeNull()
    expect((await scene().store.listNotifications({ ...page, unreadOnly: false })).notifications).toEqual([])
  })

  test('`schedule` signals a schedule that may fire earlier', async () => {
    const heard = () => scene().signals.filter(signal => signal.type === 'schedule').length
    const workflow = await steps.create({ timing: nextAt(now() + 1000) })
    await scene().eventually(() => heard() === 1)
    await replace(workflow, { timing: nextAt(now() + 500) })
    await scene().eventually(() => heard() === 2)
    await steps.trigger({ id: workflow.id, version: 2 }, newRun(workflow, 1, { trigger: 'manual' }), {
      scheduledAt: now() + 1000,
    })
    await scene().eventually(() => heard() === 3)
  })

  test('a workflow survives reopening the store', async () => {
    const workflow = await steps.create({ timing: nextAt(now() + 1000) })
    await scene().reopen()
    expect(await get(workflow.id)).toEqual(workflow)
  })
}
