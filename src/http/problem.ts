import { ERRORS, isDiskFull, MillraceError, type RequestErrorCode } from '../kernel/errors.ts'
import { WarehouseError } from '../warehouse/warehouse.ts'
import { toRefusal } from './warehouse-refusal.ts'

/** The media type of a refusal (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** Refusals of Fastify and its plugins with a more specific code than their status. */
const CODE_OF_FASTIFY: Readonly<Record<string, RequestErrorCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_INVALID_MULTIPART_CONTENT_TYPE: 'unsupported_media_type',
}

const CODE_OF_STATUS: Readonly<Record<number, RequestErrorCode>> = {
  404: 'route_not_found',
  405: 'method_not_allowed',
  413: 'too_large',
  415: 'unsupported_media_type',
}

/** Codes of a temporary outage of the database or the network: PostgreSQL's classes 08, 53 and 57P0, and system errors. */
const AWAY = /^(08...|53...|57P0.|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE)$/

type ForeignError = Error & { code?: unknown; statusCode?: unknown }

/** Converts anything thrown to a refusal from the registry. Unknown errors become `internal`. */
export const toMillraceError = (thrown: unknown): MillraceError => {
  if (thrown instanceof MillraceError) return thrown
  if (thrown instanceof WarehouseError) return toRefusal(thrown)
  const error = (thrown instanceof Error ? thrown : new Error(String(thrown))) as ForeignError
  if (isDiskFull(error)) return new MillraceError('insufficient_storage')
  const status = typeof error.statusCode === 'number' ? error.statusCode : 500
  if (status >= 400 && status < 500)
    return new MillraceError(
      CODE_OF_FASTIFY[String(error.code)] ?? CODE_OF_STATUS[status] ?? 'bad_request',
      error.message,
    )
  if (AWAY.test(String(error.code))) return new MillraceError('unavailable', undefined, { retryAfter: 2 })
  return new MillraceError('internal')
}

/** The RFC 9457 body of a refusal, with the registry's `code` and `hint` as extensions. */
export const problemOf = (error: MillraceError) => ({
  type: `urn:millrace:error:${error.code}`,
  title: ERRORS[error.code].title,
  status: error.status,
  code: error.code,
  detail: error.message,
  hint: ERRORS[error.code].hint,
  errors: error.errors,
})
