import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isPlainUrl } from './plain-url.ts'
import { parseDuration, parseSize } from './quantity.ts'
import { parseS3Url, type S3Location } from './s3-location.ts'

// Parsers for the text of a flag, an environment variable or the file. Each throws an Error whose message describes a valid value.

/** Where blobs are stored outside the data directory, so that several servers can share them. */
export type BlobPlace = { readonly type: 'directory'; readonly path: string } | ({ readonly type: 's3' } & S3Location)

/** Empty means every address to the operating system, and would expose the server. */
export const listenHost = (value: string): string => {
  if (!/^\S+$/.test(value)) throw new Error('an address or a host name, such as 127.0.0.1 or 0.0.0.0')
  return value
}

/** Empty would be the current directory, whose mode the server changes. */
export const directory = (value: string): string => {
  if (value === '') throw new Error('the path of a directory')
  return resolve(value)
}

export const optional = (value: string): string | null => (value === '' ? null : value)

export const integer =
  (min: number, max: number) =>
  (value: string): number => {
    const number = Number(value)
    if (!/^-?\d+$/.test(value) || number < min || number > max) throw new Error(`a whole number from ${min} to ${max}`)
    return number
  }

export const oneOf =
  <const T extends readonly string[]>(choices: T) =>
  (value: string): T[number] => {
    if (!choices.includes(value)) throw new Error(`one of ${choices.join(', ')}`)
    return value
  }

export const trueOrFalse = (value: string): boolean => oneOf(['true', 'false'])(value) === 'true'

export const databaseUrl = (value: string): string | null => {
  if (value === '') return null
  // The driver also takes a URL without a host, of a database whose socket is on this machine.
  if (!/^postgres(ql)?:\/\//.test(value) || !URL.canParse(value.replace('@/', '@localhost/')))
    throw new Error(
      'postgres://user:password@host:port/database (with special characters of the password percent-encoded)',
    )
  return value
}

export const blobUrl = (value: string): BlobPlace | null => {
  if (value === '') return null
  if (value.startsWith('s3:')) return { type: 's3', ...parseS3Url(value) }
  if (!/^file:\/\/\/./.test(value) || !URL.canParse(value)) throw new Error('file:///directory or s3://bucket/prefix')
  return { type: 'directory', path: fileURLToPath(value) }
}

export const folders = (value: string): readonly string[] =>
  value
    .split(',')
    .map(folder => folder.trim())
    .filter(folder => folder !== '')
    .map(folder => resolve(folder))

/** Zero in any unit keeps forever: `0d` must not delete everything at once. */
export const retention = (value: string): number => parseDuration(value) || Number.POSITIVE_INFINITY

/** What a timer of Node can wait; beyond that it would fire at once. */
const LONGEST_WAIT_MS = 24 * 86_400_000

export const wait = (value: string): number => {
  const ms = parseDuration(value)
  if (ms > LONGEST_WAIT_MS) throw new Error('a duration of at most 24 days')
  return ms
}

export const clickhouseUrl = (value: string): string | null => {
  if (value === '') return null
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) throw new Error('http(s)://user:password@host:8123/prefix')
  return value
}

/** A size for which zero makes no sense; the data engine would read 0 as unlimited, and uploads could have no content. */
export const sizeAboveZero = (value: string): number => {
  const bytes = parseSize(value)
  if (bytes === 0) throw new Error('a size above 0')
  return bytes
}

export const hours = (value: string): number => {
  const number = Number(value)
  if (value.trim() === '' || !(number > 0 && number <= 24 * 366 * 100)) throw new Error('a number of hours above 0')
  return Math.round(number * 3_600_000)
}

export const publicUrl = (value: string): string => {
  if (value === '') return ''
  if (!isPlainUrl(value)) throw new Error('an http or https URL without user and password')
  return value.replace(/\/+$/, '')
}
