import Type, { type Static, type TSchema } from 'typebox'
import { PLAIN_TEXT } from '../../model/patterns.ts'

/** A value or null, as a list of types, which the serializer handles without a validator. */
export const NullableText = Type.Unsafe<string | null>({ type: ['string', 'null'] })
export const NullableInteger = Type.Unsafe<number | null>({ type: ['integer', 'null'] })
export const NullableNumber = Type.Unsafe<number | null>({ type: ['number', 'null'] })
export const NullableTime = Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'RFC 3339, UTC.' })
export const Time = Type.String({ description: 'RFC 3339, UTC, with milliseconds.' })
export const Id = Type.String({ description: 'UUIDv7.' })

/** A time in a request; routes check it with `readTime`. */
export const givenTime = (description: string) => Type.String({ maxLength: 64, description })

/** An id to filter by. One that is not well-formed matches nothing. */
export const IdFilter = Type.String({ maxLength: 255, pattern: PLAIN_TEXT, description: 'An id.' })

/** The creation times to filter by. */
export const createdFilters = {
  created_after: Type.Optional(givenTime('RFC 3339, exclusive.')),
  created_before: Type.Optional(givenTime('RFC 3339, exclusive.')),
}

/** An object or null. */
export const nullableObject = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Unsafe<Static<ReturnType<typeof Type.Object<T>>> | null>({
    ...Type.Object(properties),
    type: ['object', 'null'],
  })

/** A list of these words, repeated or comma-separated in a query. */
export const words = <T extends string>(choices: readonly T[]) =>
  Type.Unsafe<T[]>({ type: 'array', items: { type: 'string', enum: [...choices] }, minItems: 1, maxItems: 64 })

export const choice = <T extends string>(choices: readonly T[], description?: string) =>
  Type.Unsafe<T>({ type: 'string', enum: [...choices], ...(description && { description }) })

export const strictObject = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })

/** Entries per page of a list. */
export const DEFAULT_LIMIT = 50

/** The query parameters of every list. */
export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 500, description: `Entries per page. Default: ${DEFAULT_LIMIT}.` }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 1024, pattern: '^[\\x21-\\x7e]*$', description: 'next_cursor of the previous page.' }),
  ),
  count: Type.Optional(Type.Boolean({ description: 'Also return the total number of matches.' })),
}

/** The fields of every list in addition to its entries. */
export const pageEnd = {
  next_cursor: NullableText,
  count: Type.Optional(Type.Integer({ description: 'Total number of matches; only with ?count=true.' })),
}

export const JobPath = strictObject({ job_id: Id })

export const DownloadQuery = strictObject({
  redirect: Type.Optional(
    Type.Boolean({
      description: 'Redirect to the blob store, if it supports that (S3). Otherwise this has no effect.',
    }),
  ),
})
