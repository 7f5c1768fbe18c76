import { isPlainUrl } from './plain-url.ts'

/** Location of an S3 blob store, parsed from `MILLRACE_BLOB_URL`. */
export type S3Location = {
  readonly bucket: string
  /** Prepended to every key; '' or ends with a slash. */
  readonly prefix: string
  readonly region: string
  /** Endpoint of an S3-compatible store; null: AWS. */
  readonly endpoint: string | null
  /** Puts the bucket into the path instead of the host name: most compatible stores need that. */
  readonly forcePathStyle: boolean
}

const FORM = 's3://bucket/prefix?region=&endpoint=&force_path_style=true|false'
const PARAMETERS: ReadonlySet<string> = new Set(['region', 'endpoint', 'force_path_style'])

/**
 * Parses `s3://bucket/prefix?region=&endpoint=&force_path_style=`. With an endpoint the bucket is in the path unless `force_path_style=false`.
 * Credentials are not part of it: they come from where AWS clients look for them (`AWS_ACCESS_KEY_ID`, profiles, the machine's role). Throws an Error
 * that describes a valid value.
 */
export const parseS3Url = (text: string): S3Location => {
  const url = URL.parse(text)
  if (url === null || url.protocol !== 's3:' || url.username !== '' || url.password !== '') throw new Error(FORM)
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname) || url.port !== '') throw new Error(FORM)
  for (const name of url.searchParams.keys()) if (!PARAMETERS.has(name)) throw new Error(FORM)
  const endpoint = url.searchParams.get('endpoint') || null
  const style = url.searchParams.get('force_path_style') || String(endpoint !== null)
  if (style !== 'true' && style !== 'false') throw new Error(FORM)
  if (endpoint !== null && !isPlainUrl(endpoint)) throw new Error(FORM)
  const folders = decodeURIComponent(url.pathname).split('/').filter(Boolean)
  return {
    bucket: url.hostname,
    prefix: folders.length === 0 ? '' : `${folders.join('/')}/`,
    region: url.searchParams.get('region') || 'us-east-1',
    endpoint,
    forcePathStyle: style === 'true',
  }
}
