import type { Fault } from './job-body.ts'
import { MASKED, takeSecrets } from './secrets.ts'
import type { S3Sink, Sink, WebhookSink } from './sink.ts'

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Printable Latin-1 characters, spaces and tabs: what an HTTP header can carry (RFC 9110, 5.5). */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const KEY_PARTS: ReadonlySet<string> = new Set(['{prefix}', '{run_id}', '{job_id}', '{workflow_id}'])

/** Faults of sinks that the schema cannot find; paths start in the list (`0.url`). Addresses are checked when they are contacted. */
export const sinkFaults = (sinks: readonly Sink[]): readonly Fault[] => [
  ...sinks.flatMap((sink, index) => sinkValueFaults(sink).map(fault => ({ ...fault, path: `${index}.${fault.path}` }))),
  ...maskedFaults(sinks),
]

/** The same for one sink; masked secrets are accepted. */
export const sinkValueFaults = (sink: Sink): readonly Fault[] =>
  sink.type === 'webhook' ? webhookFaults(sink) : s3Faults(sink)

/** Stored secrets have already been put back. A remaining mask would be sent as the secret, or used as a signing key that anyone can guess. */
const maskedFaults = (sinks: readonly Sink[]): readonly Fault[] =>
  Object.entries(takeSecrets({ sinks }, [], []).secrets)
    .filter(([, value]) => value === MASKED)
    .map(([path]) => ({ path: path.slice('sinks.'.length), message: NOT_KEPT }))

/** The message for a secret given as `"***"`. */
export const NOT_KEPT = 'is "***", but no value is kept for it at this address: give the value itself'

const webhookFaults = ({ url, secret, headers = {} }: WebhookSink): readonly Fault[] => [
  ...urlFaults('url', url),
  ...(secret === undefined || secret === MASKED || isSigningSecret(secret)
    ? []
    : [{ path: 'secret', message: 'must be whsec_ and the base64 of 24 to 64 bytes (Standard Webhooks)' }]),
  ...Object.entries(headers).flatMap(([name, value]) => headerFaults(name, value)),
]

const headerFaults = (name: string, value: string): readonly Fault[] => {
  const path = `headers.${name}`
  if (!HEADER_NAME.test(name)) return [{ path, message: 'is not a name that a header can have' }]
  if (!HEADER_VALUE.test(value)) return [{ path, message: 'holds characters that no header can have' }]
  return []
}

const s3Faults = ({ endpoint, key = '' }: S3Sink): readonly Fault[] => [
  ...(endpoint === undefined ? [] : urlFaults('endpoint', endpoint)),
  ...(key.match(/\{[^}]*\}?/g) ?? [])
    .filter(part => !KEY_PARTS.has(part))
    .map(part => ({ path: 'key', message: `${part} is none of ${[...KEY_PARTS].join(', ')}` })),
]

const urlFaults = (path: string, text: string): readonly Fault[] => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
    ? []
    : [{ path, message: 'must be an http or https URL' }]
}

const isSigningSecret = (text: string): boolean => {
  const match = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)
  if (match === null) return false
  const { length } = Buffer.from(match[1]!, 'base64')
  return length >= 24 && length <= 64
}
