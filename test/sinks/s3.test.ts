import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { S3_KEYS, type S3Server, startS3Server } from '../blobs/s3-server.ts'
import { readText, serve } from '../fetch/local-server.ts'
import { openSinks, parcel, s3Sink } from './receiver.ts'
import { signatureOf } from './signature-of.ts'

let server: S3Server
let client: S3Client

beforeAll(async () => {
  server = await startS3Server('results')
  client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true, credentials: S3_KEYS })
})
afterAll(async () => {
  client.destroy()
  await server.close()
})

const read = async (Key: string): Promise<{ body: string; type: string | undefined }> => {
  const { Body, ContentType } = await client.send(new GetObjectCommand({ Bucket: 'results', Key }))
  return { body: await Body!.transformToString(), type: ContentType }
}

const listKeys = async (): Promise<readonly string[]> =>
  ((await client.send(new ListObjectsV2Command({ Bucket: 'results' }))).Contents ?? []).map(({ Key }) => Key!)

test('a delivery becomes one JSON object, its key from prefix, run and job; the next try writes the same object', async () => {
  const sinks = openSinks()
  const sent = parcel(s3Sink(server.endpoint, { prefix: '/nightly/ü b/' }))
  for (let i = 0; i < 2; i++) expect(await sinks.deliver(sent)).toEqual({ type: 'delivered', status: 200, error: null })
  expect(await listKeys()).toEqual(['nightly/ü b/run-1/job-1.json'])
  expect(await read('nightly/ü b/run-1/job-1.json')).toEqual({ body: sent.body, type: 'application/json' })
})

test.each([
  [{}, { runId: null }, 'single.json'],
  [{ key: '{workflow_id}/{job_id}' }, {}, 'workflow-1/single'],
  [{ key: '../{prefix}/./{job_id}', prefix: 'a/../b' }, {}, 'a/b/single'],
  [{ key: "it's (50%) {run_id}+{job_id}*!" }, {}, "it's (50%) run-1+single*!"],
])('the key of %j is %j', async (fields, places, key) => {
  const sent = parcel(s3Sink(server.endpoint, fields), { jobId: 'single', ...places })
  expect(await openSinks().deliver(sent)).toMatchObject({ type: 'delivered' })
  expect((await read(key)).body).toBe(sent.body)
})

test('a body of 2 MB arrives whole', async () => {
  const body = JSON.stringify({ text: 'é'.repeat(1_000_000) })
  await openSinks().deliver(parcel(s3Sink(server.endpoint, { key: 'large' }), { body }))
  expect((await read('large')).body).toBe(body)
})

test('a missing bucket and wrong keys are retried, and no error contains a key', async () => {
  const sinks = openSinks()
  const absent = await sinks.deliver(parcel(s3Sink(server.endpoint, { bucket: 'nowhere' })))
  expect(absent).toEqual({ type: 'retry', status: 404, error: 'S3 answered with status 404: NoSuchBucket' })
  const keys = { access_key_id: 'AKIAUNKNOWN', secret_access_key: 'unkn0wn' }
  const unknown = await sinks.deliver(parcel(s3Sink(server.endpoint, keys)))
  expect(unknown).toEqual({ type: 'retry', status: 403, error: 'S3 answered with status 403: InvalidAccessKeyId' })
})

test.each([true, false])('the request matches its signature (path style: %s)', async force_path_style => {
  const bodies: string[] = []
  const other = await serve(async (request, response) => {
    bodies.push(await readText(request))
    response.end()
  })
  const sinks = openSinks('s3.test,results.s3.test', async () => [{ address: '127.0.0.1', family: 4 }])
  const sent = parcel(s3Sink(`http://s3.test:${other.port}`, { force_path_style, key: "ü b/{job_id}+it's(1)*.json" }))
  expect(await sinks.deliver(sent)).toMatchObject({ type: 'delivered' })
  const { method, path, headers } = other.requests[0]!
  expect(bodies).toEqual([sent.body])
  expect(headers.host).toBe(force_path_style ? `s3.test:${other.port}` : `results.s3.test:${other.port}`)
  expect(headers.authorization).toContain(signatureOf({ method, path, headers, body: sent.body }, 'us-east-1'))
})

test.each(['http://127.0.0.1', 'http://[::ffff:7f00:1]', 'http://localhost'])(
  'a private endpoint at %s is refused',
  async origin => {
    const prey = await serve((_, response) => response.end())
    const outcome = await openSinks('false').deliver(parcel(s3Sink(`${origin}:${prey.port}`)))
    expect(outcome).toMatchObject({ type: 'retry', status: null })
    expect(outcome.error).toMatch(/^address_refused: /)
    expect(prey.connections()).toBe(0)
  },
)

test('a name with a private address is refused in path style and in host style', async () => {
  const prey = await serve((_, response) => response.end())
  const sinks = openSinks('false', async () => [{ address: '127.0.0.1', family: 4 }])
  for (const force_path_style of [true, false]) {
    const outcome = await sinks.deliver(parcel(s3Sink(`http://s3.test:${prey.port}`, { force_path_style })))
    expect(outcome.error).toMatch(/^address_refused: /)
  }
  expect(prey.connections()).toBe(0)
})

test('an endpoint that redirects, never ends its answer, or is gone is a failed try', async () => {
  const other = await serve((_, response) => response.end())
  const redirecting = await serve((_, response) =>
    response.writeHead(307, { location: `http://127.0.0.1:${other.port}/` }).end(),
  )
  const endless = await serve((_, response) => {
    response.writeHead(400)
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    }
    response.on('drain', more)
    more()
  })
  const gone = await serve(() => {})
  await new Promise(resolve => gone.server.close(resolve))
  const sinks = openSinks()
  const outcomes = await Promise.all(
    [redirecting, endless, gone].map(({ port }) => sinks.deliver(parcel(s3Sink(`http://127.0.0.1:${port}`)))),
  )
  expect(outcomes.map(({ type }) => type)).toEqual(['retry', 'retry', 'retry'])
  expect(outcomes[0]).toMatchObject({ status: 307 })
  expect(outcomes[1]!.error).toMatch(/^response_too_large: /)
  expect(outcomes[2]!.error).toMatch(/^connection_failed: /)
  expect(other.requests).toEqual([])
})
