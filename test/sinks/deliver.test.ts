import { createHash, randomBytes } from 'node:crypto'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { expect, test, vi } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { newSecret } from '../../src/kernel/ids.ts'
import type { NewResult } from '../../src/model/outcome.ts'
import type { Delivery } from '../../src/model/workflow.ts'
import { openSecretBox } from '../../src/store/secrets.ts'
import { startS3Server } from '../blobs/s3-server.ts'
import { WORKSPACE } from '../conformance/suite/scene.ts'
import { VirtualClock } from '../conformance/virtual-clock.ts'
import { openOutbox } from './outbox.ts'
import { receive, s3Sink, webhook } from './receiver.ts'

const HOUR = 3_600_000
const SECRET = `whsec_${randomBytes(32).toString('base64')}`

/** A clock that the test moves. */
const standing = () => new VirtualClock(Date.parse('2026-11-22T00:00:00Z'))

const json = (text: string): NewResult => ({
  format: 'json',
  bytes: Buffer.byteLength(text),
  sha256: createHash('sha256').update(text).digest('hex'),
  keptMs: null,
  content: { data: Buffer.from(text) },
})

const allAre =
  (...statuses: Delivery['status'][]) =>
  (deliveries: readonly Delivery[]) =>
    deliveries.length > 0 && deliveries.every(({ status }) => statuses.includes(status))

test('the end of a job is sent to each of its sinks, signed with their sealed secrets, with the result inline', async () => {
  const outbox = await openOutbox(standing())
  const receiver = await receive((_, response) => response.end())
  outbox.startLoop()
  const sinks = [
    webhook(receiver.url, { secret: SECRET }),
    webhook(`${receiver.url}?2`, { headers: { 'X-Key': 'k3y' } }),
  ]
  const [jobId] = await outbox.finish({ sinks, result: json('{"rows":[1,2]}'), body: { parameters: { page: 1 } } })
  const deliveries = await outbox.until(allAre('delivered'))
  expect(deliveries).toHaveLength(2)
  expect(deliveries[0]).toMatchObject({ jobId, tries: 1, lastStatus: 200, lastError: null })
  const signed = receiver.requests.findIndex(({ path }) => path === '/hook')
  const headers = receiver.requests[signed]!.headers as Record<string, string>
  // The clock of the store is virtual, and receivers refuse signatures of another time than theirs.
  vi.useFakeTimers({ now: outbox.clock.now(), toFake: ['Date'] })
  const event = new Webhook(SECRET).verify(receiver.bodies[signed]!, headers)
  vi.useRealTimers()
  expect(event).toMatchObject({
    type: 'job.completed',
    data: { job: { job_id: jobId }, parameters: { page: 1 }, result: { format: 'json', value: { rows: [1, 2] } } },
  })
  expect(receiver.requests[1 - signed]?.headers['x-key']).toBe('k3y')
  for (const secret of [SECRET, 'k3y']) expect(receiver.bodies.join()).not.toContain(secret)
})

test('a large JSON result is read from its blob, and other formats are sent as a URL', async () => {
  const outbox = await openOutbox(standing())
  const receiver = await receive((_, response) => response.end())
  const content = JSON.stringify({ text: 'é'.repeat(500_000) })
  async function* once() {
    yield Buffer.from(content)
  }
  const { key, sha256, size } = await outbox.blobs.put(once())
  const sinks = [webhook(receiver.url)]
  const [large] = await outbox.finish({
    sinks,
    result: { ...json(content), bytes: size, sha256, content: { blobKey: key } },
  })
  const [csv] = await outbox.finish({ sinks, result: { ...json('a,b'), format: 'csv' } })
  outbox.startLoop()
  await outbox.until(allAre('delivered'))
  const events = receiver.bodies.map(body => JSON.parse(body).data)
  const byJob = (id: string | undefined) => events.find(({ job }) => job.job_id === id)
  expect(byJob(large).result.value).toEqual(JSON.parse(content))
  expect(byJob(csv).result).toMatchObject({ format: 'csv', url: `https://runs.test/v1/jobs/${csv}/result` })
  expect(byJob(csv).result).not.toHaveProperty('value')
})

test('a receiver that answers 500 for an hour gets the delivery later under the same id, and other jobs meanwhile', async () => {
  const outbox = await openOutbox(standing())
  let isBroken = true
  const receiver = await receive((_, response) => response.writeHead(isBroken ? 500 : 200).end())
  const other = await receive((_, response) => response.end())
  outbox.startLoop()
  await outbox.finish({ sinks: [webhook(receiver.url, { secret: SECRET })] })
  const minutes = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const seen = receiver.requests.length
      const [due] = (await outbox.deliveries()).filter(({ status }) => status === 'pending')
      outbox.clock.advance(60_000)
      if (due?.nextTryAt !== null && due !== undefined && due.nextTryAt <= outbox.clock.now())
        await vi.waitFor(() => expect(receiver.requests.length).toBeGreaterThan(seen), { timeout: 20_000 })
      await outbox.until(all => all.every(({ status, nextTryAt }) => status !== 'pending' || nextTryAt !== null))
    }
  }
  await outbox.until(([delivery]) => delivery!.lastStatus === 500 && delivery!.nextTryAt !== null)
  await minutes(60)
  expect(receiver.requests.length).toBeGreaterThan(5)
  const [late] = await outbox.finish({ sinks: [webhook(other.url)] })
  const [delivery] = (
    await outbox.until(all => all.some(({ jobId, status }) => jobId === late && status === 'delivered'))
  ).filter(({ status }) => status === 'pending')
  expect(delivery).toMatchObject({ lastStatus: 500, lastError: 'The receiver answered with status 500.' })
  isBroken = false
  await minutes(60)
  const ended = await outbox.until(allAre('delivered'))
  expect(ended.find(({ id }) => id === delivery!.id)).toMatchObject({ lastError: null, lastStatus: 200 })
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([delivery!.id]))
})

test('after a day of refusals a delivery is given up with a notification, and redelivery gives it another day', async () => {
  const outbox = await openOutbox(standing())
  let status = 503
  const receiver = await receive((_, response) => response.writeHead(status).end())
  outbox.startLoop()
  await outbox.finish({ sinks: [webhook(receiver.url)], fails: true })
  for (let hour = 0; hour < 30; hour++) {
    const [delivery] = await outbox.until(([first]) => first!.status !== 'pending' || first!.nextTryAt !== null)
    if (delivery!.status !== 'pending') break
    const { tries } = delivery!
    outbox.clock.advance(HOUR)
    await outbox.until(([first]) => first!.tries > tries)
  }
  const [failed] = await outbox.until(allAre('failed'))
  expect(failed).toMatchObject({ lastStatus: 503, nextTryAt: null })
  expect(failed!.tries).toBeGreaterThan(20)
  const { notifications } = await outbox.store.listNotifications({
    workspace: WORKSPACE,
    unreadOnly: true,
    limit: 10,
    cursor: null,
  })
  expect(notifications.map(({ type, jobId }) => [type, jobId])).toEqual([['delivery.failed', failed!.jobId]])
  status = 200
  await outbox.store.redeliver({ workspace: WORKSPACE, deliveryId: failed!.id })
  await outbox.until(allAre('delivered'))
  expect(receiver.requests.at(-1)?.headers['webhook-id']).toBe(failed!.id)
})

test('after a 410 a delivery is not sent again', async () => {
  const outbox = await openOutbox(standing())
  const receiver = await receive((_, response) => response.writeHead(410).end())
  outbox.startLoop()
  await outbox.finish({ sinks: [webhook(receiver.url)] })
  const [stopped] = await outbox.until(allAre('stopped'))
  expect(stopped).toMatchObject({ tries: 1, lastStatus: 410, nextTryAt: null })
  outbox.clock.advance(24 * HOUR)
  const beacon = await receive((_, response) => response.end())
  await outbox.finish({ sinks: [webhook(beacon.url)] })
  await outbox.until(all => all.some(({ status }) => status === 'delivered'))
  expect(receiver.requests).toHaveLength(1)
})

test('a receiver that never answers does not delay others, however many deliveries wait for it', async () => {
  const outbox = await openOutbox(systemClock)
  const silent = await receive(() => {})
  const quick = await receive((_, response) => response.end())
  await outbox.finish({ sinks: [webhook(silent.url)], count: 300 })
  outbox.startLoop()
  await vi.waitFor(() => expect(silent.requests.length).toBeGreaterThan(20), { timeout: 20_000 })
  const jobs = await outbox.finish({ sinks: [webhook(quick.url)], count: 50 })
  await outbox.until(all => jobs.every(job => all.some(({ jobId, status }) => jobId === job && status === 'delivered')))
  expect(silent.connections()).toBeLessThanOrEqual(32)
  expect((await outbox.deliveries()).filter(({ status }) => status === 'pending')).toHaveLength(300)
})

test('a receiver that takes half a second per delivery does not delay others', async () => {
  const outbox = await openOutbox(systemClock)
  const slow = await receive((_, response) => void setTimeout(() => response.end(), 500))
  const quick = await receive((_, response) => response.end())
  const backlog = await outbox.finish({ sinks: [webhook(slow.url)], count: 800 })
  outbox.startLoop()
  await vi.waitFor(() => expect(slow.requests.length).toBeGreaterThan(20), { timeout: 20_000 })
  const jobs = await outbox.finish({ sinks: [webhook(quick.url)], count: 50 })
  const all = await outbox.until(found =>
    jobs.every(job => found.some(({ jobId, status }) => jobId === job && status === 'delivered')),
  )
  // They came last and are delivered, while most of the backlog waits.
  const waiting = all.filter(({ jobId, status }) => backlog.includes(jobId) && status === 'pending')
  expect(waiting.length).toBeGreaterThan(300)
})

test('1,000 deliveries arrive once each', async () => {
  const outbox = await openOutbox(systemClock)
  const receiver = await receive((_, response) => response.end())
  outbox.startLoop()
  const jobs = await outbox.finish({ sinks: [webhook(receiver.url)], count: 1000 })
  await outbox.until(allAre('delivered'))
  const told = receiver.bodies.map(body => JSON.parse(body).data.job.job_id as string)
  expect(told.toSorted()).toEqual([...jobs].sort())
})

test('deliveries being sent at a stop are put back and sent after the restart, under the same id', async () => {
  const outbox = await openOutbox(standing())
  let isSilent = true
  const receiver = await receive((_, response) => {
    if (!isSilent) response.end()
  })
  const loop = outbox.startLoop()
  await outbox.finish({ sinks: [webhook(receiver.url)] })
  await vi.waitFor(() => expect(receiver.requests).toHaveLength(1), { timeout: 20_000 })
  await loop.stop()
  expect(await outbox.deliveries()).toMatchObject([{ status: 'pending', tries: 1, lastError: expect.any(String) }])
  isSilent = false
  outbox.startLoop()
  const [delivery] = await outbox.until(allAre('delivered'))
  expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([delivery!.id, delivery!.id])
})

test('deliveries claimed by a killed process are sent when their lease has expired', async () => {
  const outbox = await openOutbox(standing())
  const receiver = await receive((_, response) => response.end())
  await outbox.finish({ sinks: [webhook(receiver.url)] })
  expect((await outbox.store.claimDeliveries({ limit: 10, leaseMs: 60_000 })).claimed).toHaveLength(1)
  outbox.startLoop()
  outbox.clock.advance(60_001)
  const [delivery] = await outbox.until(allAre('delivered'))
  expect(delivery!.tries).toBe(2)
  expect(receiver.requests).toHaveLength(1)
})

test('a store that fails to end deliveries is retried, and nothing is sent twice', async () => {
  const outbox = await openOutbox(standing())
  const receiver = await receive((_, response) => response.end())
  let faults = 2
  const store = new Proxy(outbox.store, {
    get: (target, name) => {
      if (name !== 'endDeliveries' || faults === 0) return Reflect.get(target, name)
      return async () => {
        faults -= 1
        throw new Error('the database is away')
      }
    },
  })
  outbox.startLoop({ store })
  await outbox.finish({ sinks: [webhook(receiver.url)] })
  await outbox.until(allAre('delivered'))
  expect(faults).toBe(0)
  expect(receiver.requests).toHaveLength(1)
})

/** A job whose result is too long to be stored with it; returns the key of its blob. */
const finishWithBlob = async (outbox: Awaited<ReturnType<typeof openOutbox>>, url: string): Promise<string> => {
  const content = `"${'x'.repeat(100_000)}"`
  async function* once() {
    yield Buffer.from(content)
  }
  const { key } = await outbox.blobs.put(once())
  await outbox.finish({ sinks: [webhook(url)], result: { ...json(content), content: { blobKey: key } } })
  return key
}

test('a result whose blob cannot be read now is sent later, and the delivery says why', async () => {
  const outbox = await openOutbox(standing())
  const receiver = await receive((_, response) => response.end())
  await finishWithBlob(outbox, receiver.url)
  const folder = join(outbox.dataDir, 'blobs')
  renameSync(folder, `${folder}-away`)
  outbox.startLoop()
  const [delivery] = await outbox.until(([first]) => first!.lastError !== null)
  expect(delivery).toMatchObject({ status: 'pending', lastError: expect.stringContaining('The folder of blobs') })
  expect(receiver.requests).toEqual([])
  renameSync(`${folder}-away`, folder)
  outbox.clock.advance(HOUR)
  await outbox.until(allAre('delivered'))
  expect(receiver.requests).toHaveLength(1)
})

test('a result of another length than stored is not sent', async () => {
  const outbox = await openOutbox(standing())
  const receiver = await receive((_, response) => response.end())
  const key = await finishWithBlob(outbox, receiver.url)
  writeFileSync(join(outbox.dataDir, 'blobs', key.slice(0, 2), key), '"x"')
  outbox.startLoop()
  const [delivery] = await outbox.until(([first]) => first!.lastError !== null)
  const lastError = expect.stringContaining('has 3 bytes, and had 100002 when it was stored')
  expect(delivery).toMatchObject({ status: 'pending', lastError })
  expect(receiver.requests).toEqual([])
})

test('a delivery whose secrets cannot be decrypted is retried without revealing them, and does not stop others', async () => {
  const outbox = await openOutbox(standing())
  const receiver = await receive((_, response) => response.end())
  await outbox.finish({ sinks: [webhook(receiver.url, { secret: SECRET })] })
  const loop = outbox.startLoop({ secrets: openSecretBox({ dataDir: '/', secretKey: newSecret('other-') }) })
  const [delivery] = await outbox.until(([first]) => first!.lastError !== null)
  expect(delivery).toMatchObject({ status: 'pending', lastError: 'A fault of the server; see its log.' })
  await loop.stop()
  expect(receiver.requests).toEqual([])
  outbox.clock.advance(HOUR)
  outbox.startLoop()
  await outbox.until(allAre('delivered'))
})

test('S3 gets one object per job, and a bucket that refuses is retried without revealing its keys', async () => {
  const outbox = await openOutbox(standing())
  const server = await startS3Server('results')
  try {
    outbox.startLoop()
    const refusing = s3Sink(server.endpoint, { bucket: 'nowhere', secret_access_key: 'very-s3cret' })
    const [jobId] = await outbox.finish({ sinks: [s3Sink(server.endpoint, { prefix: 'out' }), refusing] })
    const deliveries = await outbox.until(all => all.length === 2 && all.every(({ lastStatus }) => lastStatus !== null))
    expect(deliveries.map(({ status, lastError }) => ({ status, lastError }))).toEqual(
      expect.arrayContaining([
        { status: 'delivered', lastError: null },
        { status: 'pending', lastError: 'S3 answered with status 404: NoSuchBucket' },
      ]),
    )
    expect(JSON.stringify(deliveries)).not.toContain('s3cret')
    expect(jobId).toBeDefined()
  } finally {
    await server.close()
  }
})

test('jobs of many megabytes are not all in memory at once', async () => {
  const outbox = await openOutbox(standing())
  let open = 0
  let most = 0
  const receiver = await receive((_, response) => {
    most = Math.max(most, ++open)
    setTimeout(() => {
      open--
      response.end()
    }, 100)
  })
  const big = { sinks: [webhook(receiver.url)], body: { text: 'x'.repeat(17 * 1024 * 1024) } }
  await outbox.finish(big)
  outbox.startLoop()
  await outbox.until(allAre('delivered'))
  await outbox.finish({ ...big, count: 7 })
  await outbox.until(deliveries => deliveries.length === 8 && allAre('delivered')(deliveries))
  expect(receiver.requests).toHaveLength(8)
  expect(most).toBeLessThanOrEqual(4)
})
