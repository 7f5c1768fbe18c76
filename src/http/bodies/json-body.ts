import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import { invalidField, MillraceError, refuseFields } from '../../kernel/errors.ts'
import { illFormedTexts } from '../../model/ill-formed.ts'
import { findInexactNumbers } from '../../model/inexact-numbers.ts'
import type { App } from '../app.ts'

/** Beyond this, what walks the value could run out of stack. */
const DEEPEST = 500
/** Of one object: checking a million names takes seconds. */
const MOST_FIELDS = 100_000

/**
 * Bodies are JSON in UTF-8 or nothing. With an `Idempotency-Key` the bytes are kept, unparsed, until the key has been
 * looked up: an answer that was given once is given again before anything is validated.
 */
export const readJsonBodies = (app: App): void => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, takeJson)
  app.addContentTypeParser('*', (request, _payload, done) => {
    if (request.headers['content-length'] === '0' || request.is404) done(null, undefined)
    else done(new MillraceError('unsupported_media_type', `Send ${wanted(request)}.`))
  })
}

/** Keeps the bytes of a JSON text, and parses them unless an `Idempotency-Key` is to be looked up first. */
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

/** Whether a body is there: needed, optional (then an empty object), or not taken. Registered after idempotency, which may parse it. */
export const requireBodies = (app: App): void => {
  app.addHook('preValidation', (request, _reply, done) => {
    const { config, schema } = request.routeOptions
    // Where there is no such route, that is the answer.
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

const takesNone = (): MillraceError => invalidField('', 'must be empty: the route takes none')

const wanted = (request: FastifyRequest): string =>
  request.routeOptions.config.body === 'multipart'
    ? 'Content-Type: multipart/form-data'
    : 'JSON with Content-Type: application/json'

/**
 * The value of a JSON text; undefined when there is none. Throws `invalid_json`, and `invalid` for texts that are half a
 * character, or numbers that no double holds: no field takes them, on any route.
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

/** In UTF-8 nothing else makes half a surrogate pair. */
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

/** Texts in which the key may be: it may be spelt with escapes, as any key (`"\u005f_proto__"`). */
const PROTOTYPE = /__proto__|\\u00[5-7]/

/** Not while it is parsed: of a list of millions that takes a hundred times as long, and the whole server waits. */
const hasPrototype = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(hasPrototype)
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototype)
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** What of the text is more than the server takes: levels, or fields of one object. */
const findExcess = (text: string): string | null => {
  /** Fields of each object that is open, from the outside in. */
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
