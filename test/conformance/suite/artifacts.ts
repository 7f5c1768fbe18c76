import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { Artifact } from '../../../src/model/job.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, leaseOf, logPart, retryIn, WORKSPACE } from './scene.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

export const artifactTests: AreaTests = scene => {
  const artifact = (jobId: string, name: string, content = name, attempt: number | null = null): Artifact => ({
    id: newId(),
    jobId,
    name,
    attempt,
    sha256: sha256(content),
    size: content.length,
    contentType: 'text/plain',
    createdAt: scene().clock.now(),
  })
  const add = (artifact: Artifact, blobKey: string, workspace = WORKSPACE) =>
    scene().store.addArtifact({ workspace, artifact, blobKey })
  const ofAttempt = (attempt: number, jobId: string, name: string, content = name) =>
    artifact(jobId, name, content, attempt)
  const list = (jobId: string) => scene().store.listArtifacts({ workspace: WORKSPACE, jobId })
  const doomed = async () => (await scene().store.listDoomedBlobs({ limit: 100 })).keys
  const purge = (jobId: string) => scene().store.purgeJob({ workspace: WORKSPACE, jobId })

  test('an artifact is listed and found with the key of its content', async () => {
    const job = await scene().start()
    const [first, second] = [artifact(job.id, 'out/a.csv'), ofAttempt(1, job.id, 'b.txt')]
    expect(await add(first, 'key-a')).toEqual({ type: 'added', blobKey: 'key-a' })
    expect(await add(second, 'key-b')).toEqual({ type: 'added', blobKey: 'key-b' })
    expect(await list(job.id)).toEqual([first, second])
    const get = (artifactId: string, jobId = job.id) =>
      scene().store.getArtifact({ workspace: WORKSPACE, jobId, artifactId })
    expect(await get(second.id)).toEqual({ artifact: second, blobKey: 'key-b' })
    expect(await get('unknown')).toBeNull()
    const other = await scene().start()
    expect(await get(second.id, other.id)).toBeNull()
    expect(await list(other.id)).toEqual([])
    expect(await list('unknown')).toBeNull()
  })

  test('a second file of the same name is refused, and the first stays', async () => {
    const job = await scene().start()
    const first = artifact(job.id, 'a', 'one')
    await add(first, 'key-1')
    expect(await add(artifact(job.id, 'a', 'two'), 'key-2')).toEqual({ type: 'name_taken' })
    expect(await list(job.id)).toEqual([first])
    expect(await scene().store.filterKnownBlobs({ keys: ['key-1', 'key-2'] })).toEqual(['key-1'])
  })

  test('an artifact of an earlier attempt is replaced, one of a user or of the same attempt is not', async () => {
    const first = await scene().start()
    const old = ofAttempt(1, first.id, 'report', 'old')
    await add(old, 'old')
    await add(ofAttempt(1, first.id, 'kept', 'kept'), 'kept')
    await add(artifact(first.id, 'theirs', 'theirs'), 'theirs')
    await scene().end(first, retryIn(0))
    await scene().store.promoteDueJobs({ limit: 10 })
    const second = await scene().claimOne()
    const report = ofAttempt(2, second.id, 'report', 'new')
    expect(await add(report, 'new')).toEqual({ type: 'added', blobKey: 'new' })
    expect(await add(ofAttempt(2, second.id, 'report', 'again'), 'again')).toEqual({ type: 'name_taken' })
    expect(await add(ofAttempt(2, second.id, 'theirs', 'mine'), 'mine')).toEqual({ type: 'name_taken' })
    expect(await add(artifact(second.id, 'kept', 'mine'), 'mine')).toEqual({ type: 'name_taken' })
    expect((await list(first.id))?.map(({ name, attempt }) => [name, attempt])).toEqual([
      ['kept', 1],
      ['theirs', null],
      ['report', 2],
    ])
    expect(await doomed()).toEqual(['old'])
    const get = (artifactId: string) => scene().store.getArtifact({ workspace: WORKSPACE, jobId: first.id, artifactId })
    expect(await get(old.id)).toBeNull()
    expect(await get(report.id)).toEqual({ artifact: report, blobKey: 'new' })
  })

  test('content is kept when an attempt replaces an artifact by the same content', async () => {
    const first = await scene().start()
    await add(ofAttempt(1, first.id, 'report', 'same'), 'key-1')
    await scene().end(first, retryIn(0))
    await scene().store.promoteDueJobs({ limit: 10 })
    const again = ofAttempt(2, first.id, 'report', 'same')
    await scene().claimOne()
    expect(await add(again, 'key-2')).toEqual({ type: 'added', blobKey: 'key-1' })
    expect(await doomed()).toEqual([])
    const found = await scene().store.getArtifact({ workspace: WORKSPACE, jobId: first.id, artifactId: again.id })
    expect(found).toEqual({ artifact: again, blobKey: 'key-1' })
  })

  test('two attempts of two jobs that replace each other’s contents at once both succeed', async () => {
    const jobs = [await scene().start(), await scene().start()] as const
    for (const [index, job] of jobs.entries())
      for (const name of ['a', 'b']) await add(ofAttempt(1, job.id, name, `${name}${index}`), `${name}${index}`)
    for (const job of jobs) await scene().end(job, retryIn(0))
    await scene().store.promoteDueJobs({ limit: 10 })
    for (const _ of jobs) await scene().claimOne()
    const outcomes = await Promise.all(
      jobs.flatMap((job, index) =>
        ['a', 'b'].map(name => add(ofAttempt(2, job.id, name, `${name}${1 - index}`), `${name}${1 - index}-again`)),
      ),
    )
    expect(outcomes.map(({ type }) => type)).toEqual(Array(4).fill('added'))
    for (const [index, job] of jobs.entries())
      expect((await list(job.id))?.map(one => one.sha256).sort()).toEqual(
        ['a', 'b'].map(name => sha256(`${name}${1 - index}`)).sort(),
      )
  })

  test('of two uploads of one name at once one is added', async () => {
    const job = await scene().start()
    const outcomes = await Promise.all(['1', '2', '3'].map(text => add(artifact(job.id, 'a', text), `key-${text}`)))
    expect(outcomes.map(outcome => outcome.type).sort()).toEqual(['added', 'name_taken', 'name_taken'])
  })

  test('a user adds artifacts in any status, an attempt only while it runs', async () => {
    const queued = await scene().submitOne({ priority: -1 })
    expect((await add(artifact(queued.id, 'a'), 'k1')).type).toBe('added')
    expect((await add(ofAttempt(1, queued.id, 'b'), 'k2')).type).toBe('not_running')
    const job = await scene().start()
    expect((await add(ofAttempt(2, job.id, 'a'), 'k3')).type).toBe('not_running')
    await scene().cancel(job.id)
    expect((await add(ofAttempt(1, job.id, 'a'), 'k3')).type).toBe('added')
    await scene().end(job)
    expect((await add(ofAttempt(1, job.id, 'b'), 'k4')).type).toBe('not_running')
    expect((await add(artifact(job.id, 'b'), 'k4')).type).toBe('added')
    expect((await add(artifact('unknown', 'a'), 'k5')).type).toBe('not_found')
    expect((await add(artifact(job.id, 'c'), 'k6', 'other')).type).toBe('not_found')
  })

  test('the same content is stored once, and the caller learns the existing key', async () => {
    const [one, two] = [await scene().start(), await scene().start()]
    const first = artifact(one.id, 'a', 'same')
    const second = artifact(two.id, 'b', 'same')
    expect(await add(first, 'key-1')).toEqual({ type: 'added', blobKey: 'key-1' })
    expect(await add(second, 'key-2')).toEqual({ type: 'added', blobKey: 'key-1' })
    const found = await scene().store.getArtifact({ workspace: WORKSPACE, jobId: two.id, artifactId: second.id })
    expect(found?.blobKey).toBe('key-1')
  })

  test('lost content that is stored again gets its new key once, for all artifacts that have it', async () => {
    const [one, two] = [await scene().finished(), await scene().finished()]
    const first = artifact(one.id, 'a', 'same')
    await add(first, 'lost')
    await add(artifact(two.id, 'b', 'same'), 'new')
    const replace = (from: string, to: string, sha256 = first.sha256) => scene().store.replaceBlob({ sha256, from, to })
    const outcomes = await Promise.all([replace('lost', 'new'), replace('lost', 'other')])
    expect(outcomes.filter(outcome => outcome.applied)).toHaveLength(1)
    const found = await scene().store.getArtifact({ workspace: WORKSPACE, jobId: one.id, artifactId: first.id })
    const kept = outcomes[0]!.applied ? 'new' : 'other'
    expect(found?.blobKey).toBe(kept)
    expect(await scene().store.filterKnownBlobs({ keys: ['lost', 'new', 'other'] })).toEqual([kept])
    expect(await replace(kept, 'x', 'unknown')).toEqual({ applied: false })
    await purge(one.id)
    await purge(two.id)
    expect(await replace(kept, 'x')).toEqual({ applied: false })
    expect(await doomed()).toEqual([kept])
  })

  test('content is doomed when the last artifact that refers to it is purged', async () => {
    const [one, two] = [await scene().finished(), await scene().finished()]
    await add(artifact(one.id, 'a', 'same'), 'shared')
    await add(artifact(two.id, 'b', 'same'), 'copy')
    await add(artifact(one.id, 'c', 'only here'), 'alone')
    expect(await purge(one.id)).toBe('purged')
    expect(await doomed()).toEqual(['alone'])
    expect(await scene().store.filterKnownBlobs({ keys: ['shared', 'alone', 'copy', 'never'] })).toEqual(['shared'])
    await purge(two.id)
    expect([...(await doomed())].sort()).toEqual(['alone', 'shared'])
    await scene().store.forgetDoomedBlobs({ keys: ['alone'] })
    expect(await doomed()).toEqual(['shared'])
  })

  test('content that returns after it was doomed is stored anew', async () => {
    const one = await scene().finished()
    await add(artifact(one.id, 'a', 'same'), 'old')
    await purge(one.id)
    const two = await scene().finished()
    expect(await add(artifact(two.id, 'a', 'same'), 'new')).toEqual({ type: 'added', blobKey: 'new' })
    expect(await doomed()).toEqual(['old'])
    expect(await scene().store.filterKnownBlobs({ keys: ['old', 'new'] })).toEqual(['new'])
  })

  test('log segments are known as long as their job exists, and doomed with it', async () => {
    const job = await scene().start()
    await scene().store.addLogParts({ lease: leaseOf(job), parts: [logPart(1, 5, { blobKey: 'segment-1' })] })
    await scene().end(job, COMPLETE, [logPart(6, 9, { blobKey: 'segment-2' })])
    expect([...(await scene().store.filterKnownBlobs({ keys: ['segment-1', 'segment-2', 'x'] }))].sort()).toEqual([
      'segment-1',
      'segment-2',
    ])
    await purge(job.id)
    expect([...(await doomed())].sort()).toEqual(['segment-1', 'segment-2'])
    expect(await scene().store.filterKnownBlobs({ keys: ['segment-1', 'segment-2'] })).toEqual([])
  })
}
