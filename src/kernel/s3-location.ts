import { isPlainUrl } from './plain-url.ts'

/** Where an S3 blob store lies: `MILLRACE_BLOB_URL` read. */
export type S3Location = {
  readonly bucket: string
  /** Before every key; '' or ending with a slash. */
  readonly prefix: string
  readonly region: string
  /** Of a compatible store; null: AWS. */
  readonly endpoint: string | null
  /** The bucket in the path, not in the name of the host: most compatible stores want that. */
  readonly forcePathStyle: boolean
}

const FORM = 's3://bucket/prefix?region=&endpoint=&force_path_style=true|false'
const PARAMETERS: ReadonlySet<string> = new Set(['region', 'endpoint', 'force_path_style'])

/**
 * Reads `s3://bucket/prefix?region=&endpoint=&force_path_style=`. With an endpoint the bucket is in the path unless
 * `force_path_style=false`. Keys are not part of it: they come from where the clients of AWS look for them
 * (`AWS_ACCESS_KEY_ID`, profiles, the role of the machine). Throws an Error that says what would be right.
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
