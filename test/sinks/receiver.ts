import type { RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'
import { parseAddressRules } from '../../src/kernel/address-rules.ts'
import type { Lookup } from '../../src/kernel/guarded-connect.ts'
import type { S3Sink, Sink, WebhookSink } from '../../src/model/sink.ts'
import { createSinks, type Parcel, type Sinks } from '../../src/sinks/sinks.ts'
import { type LocalServer, readText, serve } from '../fetch/local-server.ts'

export type Receiver = LocalServer & { readonly url: string; readonly bodies: string[] }

/** A server that stores the bodies it receives before it answers. */
export const receive = async (answer: RequestListener): Promise<Receiver> => {
  const bodies: string[] = []
  const server = await serve(async (request, response) => {
    bodies.push(await readText(request))
    answer(request, response)
  })
  return { ...server, bodies, url: `http://127.0.0.1:${server.port}/hook` }
}

/** The sinks of one test. */
export const openSinks = (rules = '127.0.0.0/8', lookup?: Lookup): Sinks => {
  const sinks = createSinks({ rules: parseAddressRules(rules), ...(lookup && { lookup }) })
  onTestFinished(() => sinks.close())
  return sinks
}

export const webhook = (url: string, fields: Partial<WebhookSink> = {}): WebhookSink => ({
  type: 'webhook',
  url,
  ...fields,
})

/** The keys that the server of the tests knows. */
const S3_KEYS = { access_key_id: 'S3RVER', secret_access_key: 'S3RVER' } as const

export const s3Sink = (endpoint: string, fields: Partial<S3Sink> = {}): S3Sink => ({
  type: 's3',
  bucket: 'results',
  endpoint,
  force_path_style: true,
  ...S3_KEYS,
  ...fields,
})

export const parcel = (sink: Sink, fields: Partial<Parcel> = {}): Parcel => ({
  sink,
  body: '{"type":"job.completed","data":{"text":"ünïcode"}}',
  deliveryId: '0199f3c0-0000-7000-8000-000000000001',
  jobId: 'job-1',
  runId: 'run-1',
  workflowId: 'workflow-1',
  now: Date.now(),
  signal: new AbortController().signal,
  ...fields,
})
