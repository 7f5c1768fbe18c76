import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { Job, NewJob } from '../../../src/model/job.ts'
import type { JobFilters } from '../../../src/store/store.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, newJob, newJobs, type Scene, WORKSPACE } from './scene.ts'

export const listTests: AreaTests = scene => {
  const list = (filters: JobFilters, limit = 50, cursor: string | null = null) =>
    scene().store.listJobs({ workspace: WORKSPACE, filters, limit, cursor })

  test('jobs are listed newest first, in the order of submission', async () => {
    const jobs = newJobs(5)
    await scene().submit(jobs.slice(0, 2))
    scene().clock.advance(-5000)
    await scene().submit(jobs.slice(2))
    expect(await scene().listIds()).toEqual(jobs.map(job => job.id).reverse())
  })

  test('a listed job is the same as the job read alone', async () => {
    const done = await scene().finished({ name: 'a', labels: { x: 'y' } }, failure())
    const running = await scene().start({ runId: 'run-1' })
    const page = await list({})
    expect(page.jobs).toEqual([await scene().job(running.id), await scene().job(done.id)])
    expect(page.nextCursor).toBeNull()
  })

  test('cursors walk all jobs once, while new ones arrive and others end', async () => {
    const jobs = newJobs(23)
    await scene().submit(jobs)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page = await list({}, 5, cursor)
      expect(page.jobs.length).toBeLessThanOrEqual(5)
      seen.push(...page.jobs.map(job => job.id))
      cursor = page.nextCursor
      await scene().submitOne({ priority: 1 })
      await scene().end(await scene().claimOne())
    } while (cursor !== null)
    expect(seen).toEqual(jobs.map(job => job.id).reverse())
  })

  test('a page has no more bodies than fit into memory', async () => {
    const spec = JSON.stringify({ command: 'x'.repeat(9 * 1024 * 1024) })
    const jobs = Array.from({ length: 6 }, () => newJob({ spec }))
    for (const job of jobs) await scene().submit([job])
    const seen: string[] = []
    for (let cursor: string | null = null; ; ) {
      const page = await list({}, 50, cursor)
      expect(page.jobs.length).toBeLessThanOrEqual(4)
      seen.push(...page.jobs.map(job => job.id))
      cursor = page.nextCursor
      if (cursor === null) break
    }
    expect(seen).toEqual(jobs.map(job => job.id).reverse())
  })

  test('an invalid cursor is refused', async () => {
    await scene().submit(newJobs(3))
    const { nextCursor } = await list({}, 1)
    expect(nextCursor).not.toBeNull()
    const encoded = (text: string) => Buffer.from(text).toString('base64url')
    const wrong = [
      '',
      'x',
      '!',
      '12',
      newId(),
      encoded('1'),
      encoded('{}'),
      encoded('[1]'),
      encoded('null'),
      `${nextCursor}A`,
      'A'.repeat(5000),
    ]
    for (const cursor of wrong)
      await expect(list({}, 1, cursor), cursor).rejects.toMatchObject({ code: 'invalid_cursor' })
  })

  test('a cursor of other filters or of another workspace is refused', async () => {
    await scene().submit(newJobs(3, { name: 'a' }))
    const { nextCursor } = await list({}, 1)
    await expect(list({ name: 'a' }, 1, nextCursor)).rejects.toMatchObject({ code: 'invalid_cursor' })
    const foreign = scene().store.listJobs({ workspace: 'other', filters: {}, limit: 1, cursor: nextCursor })
    await expect(foreign).rejects.toMatchObject({ code: 'invalid_cursor' })
  })

  test('every filter, alone and combined with every other, finds what it describes', async () => {
    const jobs = await manyJobs(scene())
    for (const filters of allPairs(FILTERS)) {
      const expected = jobs.filter(job => matches(job, filters)).map(job => job.id)
      expect(await scene().listIds(filters), JSON.stringify(filters)).toEqual(expected)
      expect(await scene().store.countJobs({ workspace: WORKSPACE, filters }), JSON.stringify(filters)).toBe(
        expected.length,
      )
    }
  })

  test('a value that a filter names twice is one value', async () => {
    const other = await scene().finished({ kind: 'http' }, failure())
    const job = await scene().submitOne({ kind: 'http' })
    for (const [filters, id] of [
      [{ kind: ['http', 'http'], status: ['queued'] }, job.id],
      [{ status: ['failed', 'failed'] }, other.id],
    ] as const) {
      expect(await scene().listIds(filters)).toEqual([id])
      expect(await scene().store.countJobs({ workspace: WORKSPACE, filters })).toBe(1)
    }
    expect(await scene().listIds({ kind: ['http', 'http'] })).toEqual([job.id, other.id])
  })

  test('creation times bound a list exactly, even if the clock was set back in between', async () => {
    const times = new Map<string, number>()
    for (const step of [0, 100, 100, -150, 50, 0, 300, -20, 20]) {
      scene().clock.advance(step)
      const job = await scene().submitOne()
      times.set(job.id, scene().clock.now())
    }
    const all = [...times.keys()].reverse()
    for (const bound of new Set(times.values())) {
      for (const time of [bound - 1, bound, bound + 1]) {
        const after = all.filter(id => times.get(id)! > time)
        const before = all.filter(id => times.get(id)! < time)
        expect(await scene().listIds({ createdAfter: time })).toEqual(after)
        expect(await scene().listIds({ createdBefore: time })).toEqual(before)
      }
    }
  })

  test('a name filter matches its text literally, wildcards included', async () => {
    const names = ['100% sure', '100 percent', 'a_b', 'axb', 'Äpfel', 'apfel', '\u{10FFFF}']
    const jobs = names.map(name => newJob({ name }))
    await scene().submit(jobs)
    const found = async (name: string) => (await list({ name })).jobs.map(job => job.name)
    expect(await found('100%')).toEqual(['100% sure'])
    expect(await found('a_')).toEqual(['a_b'])
    expect(await found('Ä')).toEqual(['Äpfel'])
    expect(await found('A')).toEqual([])
    expect(await found('\u{10FFFF}')).toEqual(['\u{10FFFF}'])
    expect(await found('')).toHaveLength(names.length)
  })

  test('a page of the largest size is full', async () => {
    await scene().submit(newJobs(600))
    const page = await list({}, 500)
    expect(page.jobs).toHaveLength(500)
    expect((await list({}, 500, page.nextCursor)).jobs).toHaveLength(100)
  })
}

const FILTERS: readonly JobFilters[] = [
  { status: ['queued'] },
  { status: ['pending', 'running'] },
  { status: ['completed'] },
  { status: ['failed', 'cancelled'] },
  { status: ['cancelling', 'failed', 'queued'] },
  { kind: ['command'] },
  { kind: ['http', 'query'] },
  { kind: ['graph'] },
  { trigger: 'automatic' },
  { trigger: 'manual' },
  { workflowId: 'workflow-1' },
  { runId: 'run-2' },
  { parentJobId: 'parent-1' },
  { name: 'nightly' },
  { name: 'nobody' },
  { labels: [{ key: 'team', value: 'data' }] },
  {
    labels: [
      { key: 'team', value: 'data' },
      { key: 'stage', value: 'test' },
    ],
  },
  { labels: [{ key: 'team', value: 'nobody' }] },
  { queue: 'slow' },
  { queue: 'default' },
  { dataSource: 'source-1' },
  { pipe: 'pipe-0' },
  { pipe: 'nobody' },
  { createdAfter: Date.UTC(2026, 10, 21, 12) + 20_000 },
  { createdBefore: Date.UTC(2026, 10, 21, 12) + 30_000 },
]

function* allPairs(filters: readonly JobFilters[]): Generator<JobFilters> {
  yield {}
  for (const [index, first] of filters.entries()) {
    yield first
    for (const second of filters.slice(index + 1)) yield { ...first, ...second }
  }
}

/** Jobs in every status with a mixture of everything a list can filter by; newest first. */
const manyJobs = async (scene: Scene): Promise<readonly Job[]> => {
  await scene.store.createWorkspace({ id: 'other', name: 'other' })
  for (let index = 0; index < 60; index++) {
    scene.clock.advance(1000)
    await scene.submit([mixedJob(scene, index), { ...mixedJob(scene, index), workspace: 'other' }])
  }
  const claimed = await scene.claim(50)
  for (const [index, job] of claimed.entries()) {
    if (index % 5 === 0) await scene.end(job, failure())
    else if (index % 5 === 1)
      await scene.store.cancelJob({
        workspace: job.workspace,
        jobId: job.id,
        reason: 'cancelled_by_user',
        graceMs: null,
      })
    else if (index % 5 < 4) await scene.end(job, COMPLETE)
  }
  const jobs: Job[] = []
  for (const id of await scene.listIds()) jobs.push(await scene.job(id))
  if (jobs.length !== 60) throw new Error(`${jobs.length} jobs`)
  return jobs
}

const mixedJob = (scene: Scene, index: number): NewJob =>
  newJob({
    kind: (['command', 'http', 'query'] as const)[index % 3]!,
    trigger: index % 4 ? 'manual' : 'automatic',
    workflowId: index % 5 < 2 ? `workflow-${index % 5}` : null,
    runId: index % 7 < 3 ? `run-${index % 7}` : null,
    parentJobId: index % 6 < 2 ? `parent-${index % 6}` : null,
    name: index % 2 ? `nightly ${index}` : null,
    labels: index % 3 ? { team: index % 2 ? 'data' : 'web', ...(index % 5 ? { stage: 'test' } : {}) } : {},
    queue: index % 8 < 3 ? 'slow' : 'default',
    dataSource: index % 4 < 2 ? `source-${index % 4}` : null,
    pipe: index % 10 < 3 ? `pipe-${index % 10}` : null,
    scheduledAt: index % 9 === 0 ? scene.clock.now() + 3_600_000 : null,
    priority: index % 3,
  })

const matches = (job: Job, filters: JobFilters): boolean =>
  (!filters.status || filters.status.includes(job.status)) &&
  (!filters.kind || filters.kind.includes(job.kind)) &&
  (!filters.trigger || filters.trigger === job.trigger) &&
  (!filters.workflowId || filters.workflowId === job.workflowId) &&
  (!filters.runId || filters.runId === job.runId) &&
  (!filters.parentJobId || filters.parentJobId === job.parentJobId) &&
  (filters.name === undefined || (job.name ?? '').startsWith(filters.name)) &&
  (filters.labels ?? []).every(label => job.labels[label.key] === label.value) &&
  (!filters.queue || filters.queue === job.queue) &&
  (!filters.dataSource || filters.dataSource === job.dataSource) &&
  (!filters.pipe || filters.pipe === job.pipe) &&
  (filters.createdAfter === undefined || job.createdAt > filters.createdAfter) &&
  (filters.createdBefore === undefined || job.createdAt < filters.createdBefore)
