import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { Artifact } from '../../../src/model/job.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, leaseOf, logPart, WORKSPACE } from './scene.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

export const artifactTests: AreaTests = scene => {
  const artifact = (jobId: string, name: string, content = name): Artifact => ({
    id: newId(),
    jobId,
    name,
    sha256: sha256(content),
    size: content.length,
    contentType: 'text/plain',
    createdAt: scene().clock.now(),
  })
  const add = (artifact: Artifact, blobKey: string, attempt?: number, workspace = WORKSPACE) =>
    scene().store.addArtifact({ workspace, artifact, blobKey, ...(attempt === undefined ? {} : { attempt }) })
  const list = (jobId: string) => scene().store.listArtifacts({ workspace: WORKSPACE, jobId })
  const doomed = async () => (await scene().store.listDoomedBlobs({ limit: 100 })).keys
  const purge = (jobId: string) => scene().store.purgeJob({ workspace: WORKSPACE, jobId })

  test('an artifact is listed and found with the key of its content', async () => {
    const job = await scene().start()
    const [first, second] = [artifact(job.id, 'out/a.csv'), artifact(job.id, 'b.txt')]
    expect(await add(first, 'key-a')).toEqual({ type: 'added', blobKey: 'key-a' })
    expect(await add(second, 'key-b', 1)).toEqual({ type: 'added', blobKey: 'key-b' })
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

  test('a second file of one name is refused, the first stays', async () => {
    const job = await scene().start()
    const first = artifact(job.id, 'a', 'one')
    await add(first, 'key-1')
    expect(await add(artifact(job.id, 'a', 'two'), 'key-2')).toEqual({ type: 'name_taken' })
    expect(await list(job.id)).toEqual([first])
    expect(await scene().store.filterKnownBlobs({ keys: ['key-1', 'key-2'] })).toEqual(['key-1'])
  })

  test('two uploads of one name at once: one is added', async () => {
    const job = await scene().start()
    const outcomes = await Promise.all(['1', '2', '3'].map(text => add(artifact(job.id, 'a', text), `key-${text}`)))
    expect(outcomes.map(outcome => outcome.type).sort()).toEqual(['added', 'name_taken', 'name_taken'])
  })

  test('a user adds artifacts in any status; an attempt only while it runs', async () => {
    const queued = await scene().submitOne({ priority: -1 })
    expect((await add(artifact(queued.id, 'a'), 'k1')).type).toBe('added')
    expect((await add(artifact(queued.id, 'b'), 'k2', 1)).type).toBe('not_running')
    const job = await scene().start()
    expect((await add(artifact(job.id, 'a'), 'k3', 2)).type).toBe('not_running')
    await scene().cancel(job.id)
    expect((await add(artifact(job.id, 'a'), 'k3', 1)).type).toBe('added')
    await scene().end(job)
    expect((await add(artifact(job.id, 'b'), 'k4', 1)).type).toBe('not_running')
    expect((await add(artifact(job.id, 'b'), 'k4')).type).toBe('added')
    expect((await add(artifact('unknown', 'a'), 'k5')).type).toBe('not_found')
    expect((await add(artifact(job.id, 'c'), 'k6', undefined, 'other')).type).toBe('not_found')
  })

  test('the same content is stored once, and the copy is told to the caller', async () => {
    const [one, two] = [await scene().start(), await scene().start()]
    const first = artifact(one.id, 'a', 'same')
    const second = artifact(two.id, 'b', 'same')
    expect(await add(first, 'key-1')).toEqual({ type: 'added', blobKey: 'key-1' })
    expect(await add(second, 'key-2')).toEqual({ type: 'added', blobKey: 'key-1' })
    const found = await scene().store.getArtifact({ workspace: WORKSPACE, jobId: two.id, artifactId: second.id })
    expect(found?.blobKey).toBe('key-1')
  })

  test('content that was lost lies where it was stored again, once, for all artifacts that have it', async () => {
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

  test('content is doomed when the last artifact that refers to it is forgotten', async () => {
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

  test('content that comes again after it was doomed is stored anew', async () => {
    const one = await scene().finished()
    await add(artifact(one.id, 'a', 'same'), 'old')
    await purge(one.id)
    const two = await scene().finished()
    expect(await add(artifact(two.id, 'a', 'same'), 'new')).toEqual({ type: 'added', blobKey: 'new' })
    expect(await doomed()).toEqual(['old'])
    expect(await scene().store.filterKnownBlobs({ keys: ['old', 'new'] })).toEqual(['new'])
  })

  test('segments of logs are known while their job is there, and doomed with it', async () => {
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
