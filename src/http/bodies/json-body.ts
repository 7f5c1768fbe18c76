import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import { invalidField, MillraceError, refuseFields } from '../../kernel/errors.ts'
import { illFormedTexts } from '../../model/ill-formed.ts'
import { findInexactNumbers } from '../../model/inexact-numbers.ts'
import type { App } from '../app.ts'

/** The limit for routes whose bodies have a few short fields. */
export const SMALL_BODY = 64 * 1024

/** Recursive functions could overflow the stack on deeper values. */
const DEEPEST = 500
/** The most fields in one object: checking a million names takes seconds. */
const MOST_FIELDS = 100_000

/**
 * Accepts only JSON in UTF-8. With an `Idempotency-Key`, the bytes are kept unparsed until the key has been looked up: a stored answer is repeated before
 * anything is validated.
 */
export const readJsonBodies = (app: App): void => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, takeJson)
  app.addContentTypeParser('*', (request, _payload, done) => {
    if (request.headers['content-length'] === '0' || request.is404) done(null, undefined)
    else done(new MillraceError('unsupported_media_type', `Send ${wanted(request)}.`))
  })
}

/** Keeps the bytes of a JSON text, and parses them unless an `Idempotency-Key` has to be looked up first. */
export const takeJson = (request: FastifyRequest, bytes: Buffer, done: Done): void => {
  request.rawBody = bytes
  const hasKey = request.method === 'POST' && request.headers['idempotency-key'] !== undefined
  try {
    done(null, hasKey ? undefined : parseJson(bytes))
  } catch (error) {
    done(error as Error)
  }
}

type Done = (error: Error | null, value?: unknown) => void

/**
 * Checks whether a body is present: it is required, optional (default: an empty object) or refused. Register it after idempotency, which may parse the body.
 */
export const requireBodies = (app: App): void => {
  app.addHook('preValidation', (request, _reply, done) => {
    const { config, schema } = request.routeOptions
    // An unknown route has its own answer.
    if (config.body !== undefined || request.is404) done()
    else if (schema?.body === undefined) done(isEmpty(request.body) ? undefined : takesNone())
    else if (request.body !== undefined) done()
    else if (config.optionalBody) {
      request.body = {}
      done()
    } else done(new MillraceError('invalid_json', 'The request has no body.'))
  })
}

const isEmpty = (body: unknown): boolean =>
  body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0)

const takesNone = (): MillraceError => invalidField('', 'must be empty on this route')

const wanted = (request: FastifyRequest): string =>
  request.routeOptions.config.body === 'multipart'
    ? 'Content-Type: multipart/form-data'
    : 'JSON with Content-Type: application/json'

/**
 * Parses a JSON text; undefined if it is empty. Throws `invalid_json`, and `invalid` for unpaired surrogates and for numbers that no double can hold: no field
 * on any route accepts those.
 */
export const parseJson = (bytes: Buffer): unknown => {
  if (bytes.length === 0) return undefined
  if (!isUtf8(bytes)) throw new MillraceError('invalid_json', 'The body is not UTF-8.')
  const text = bytes.toString('utf8')
  const excess = text.length > 2 * DEEPEST ? findExcess(text) : null
  if (excess !== null) throw new MillraceError('invalid_json', excess)
  const value = parse(text)
  const faults = [...(SURROGATE_ESCAPE.test(text) ? illFormedTexts(value, '') : []), ...findInexactNumbers(text)]
  refuseFields(faults)
  return value
}

/** Valid UTF-8 has no unpaired surrogates, so only an escape can create one. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/

const parse = (text: string): unknown => {
  const value = read(text)
  if (PROTOTYPE.test(text) && hasPrototype(value))
    throw new MillraceError('invalid_json', 'A key of the body is "__proto__".')
  return value
}

const read = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new MillraceError('invalid_json', 'The body is not JSON.')
  }
}

/** Texts that may contain the key, which may be written with escapes (`"\u005f_proto__"`). */
const PROTOTYPE = /__proto__|\\u00[5-7]/

/** Checked after parsing: during parsing, a list of millions would take a hundred times as long, and block the server. */
const hasPrototype = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(hasPrototype)
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototype)
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** What exceeds a limit in the text: its depth, or the fields of one object. */
const findExcess = (text: string): string | null => {
  /** The number of fields in each open object, from the outside in. */
  const fields: number[] = []
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) index = endOfString(text, index)
    else if (code === 0x5b || code === 0x7b) {
      if (fields.push(0) > DEEPEST) return `The body is nested deeper than ${DEEPEST} levels.`
    } else if (code === 0x5d || code === 0x7d) fields.pop()
    else if (code === 0x3a && ++fields[fields.length - 1]! > MOST_FIELDS)
      return `An object of the body has more than ${MOST_FIELDS} fields.`
  }
  return null
}

const endOfString = (text: string, start: number): number => {
  let index = start + 1
  while (index < text.length && text.charCodeAt(index) !== QUOTE) index += text.charCodeAt(index) === BACKSLASH ? 2 : 1
  return index
}
