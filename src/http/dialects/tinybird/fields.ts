import type { FastifyRequest } from 'fastify'
import Type, { type TSchema } from 'typebox'
import { type FieldError, invalidField, refuseFields } from '../../../kernel/errors.ts'
import { isPlainObject } from '../../../kernel/plain-object.ts'
import { readTimestamp } from '../../../kernel/read-timestamp.ts'
import { strictObject } from '../../schemas/basics.ts'

/** How a parameter is parsed. It may come from the query, a form or JSON; only JSON has more than texts. */
type Field<T> = {
  readonly schema: TSchema
  /** A message saying what would be right. */
  readonly wanted: string
  /** Undefined: not valid. */
  readonly read: (value: unknown) => T | undefined
}

/** The parameters of a route by name. */
export type Fields = Readonly<Record<string, Field<unknown>>>
/** The values that `readFields` returns. */
export type FieldValues<F extends Fields> = { readonly [Name in keyof F]?: F[Name] extends Field<infer T> ? T : never }
type Given = Readonly<Record<string, unknown>>

/** Any text. */
export const textField = (description: string): Field<string> => ({
  schema: Type.String({ description }),
  wanted: 'must be well-formed text without NUL',
  read: value => (isText(value) ? value : undefined),
})

/** Databases accept neither NUL nor unpaired surrogates. */
const isText = (value: unknown): value is string =>
  typeof value === 'string' && !value.includes('\u0000') && value.isWellFormed()

/** true or false; 1 or 0 in a query or form. */
export const flagField = (description: string): Field<boolean> => ({
  // Not only boolean: the server's own query parser would also convert the empty text.
  schema: Type.Unsafe<boolean>({ type: ['boolean', 'string'], description }),
  wanted: 'must be true or false',
  read: value => {
    if (value === true || value === 'true' || value === '1') return true
    return value === false || value === 'false' || value === '0' ? false : undefined
  },
})

/** A decimal number; as text without a sign. */
export const numberField = (description: string): Field<number> => ({
  schema: Type.Number({ description }),
  wanted: 'must be a number',
  read: value => {
    if (typeof value === 'number') return value
    return typeof value === 'string' && /^(?:\d+(?:\.\d+)?|\.\d+)(e-?\d{1,2})?$/i.test(value)
      ? Number(value)
      : undefined
  },
})

/** One of the given words. */
export const choiceField = <T extends string>(choices: readonly T[], description: string): Field<T> => ({
  schema: Type.Unsafe<T>({ type: 'string', enum: [...choices], description }),
  wanted: `must be one of ${choices.join(', ')}`,
  read: value => choices.find(choice => choice === value),
})

/** ISO 8601, up to milliseconds; UTC if there is no zone. An unescaped plus arrives as a space. */
export const timeField = (description: string): Field<number> => ({
  schema: Type.String({ description }),
  wanted: 'must be an ISO 8601 time such as 2023-06-15T18:13:25.855Z',
  read: value => {
    const found = typeof value === 'string' ? ISO_8601.exec(value) : null
    if (found === null) return undefined
    const { date, time = '00:00', seconds = ':00', zone = 'Z' } = found.groups!
    const parsed = readTimestamp(`${date}T${time}${seconds}${zone.replace(' ', '+').replace(/^(...)(?=\d\d$)/, '$1:')}`)
    return parsed.type === 'time' ? parsed.epochMs : undefined
  },
})

const ISO_8601 =
  /^(?<date>\d{4}-\d{2}-\d{2})(?:[T ](?<time>\d{2}:\d{2})(?<seconds>:\d{2}(?:\.\d{1,9})?)?(?<zone>Z|[+ -]\d{2}:?\d{2})?)?$/i

/** Only for the reference: `readFields` does the validation. */
export const fieldsSchema = (fields: Fields) =>
  strictObject(Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, Type.Optional(schema)])))

/** All parameters of a request, from query and body. Throws `invalid` for one that is in both. */
export const givenFields = ({ query, body }: Pick<FastifyRequest, 'query' | 'body'>): Given => {
  const inQuery = query as Given
  const inBody = body ?? {}
  if (!isPlainObject(inBody)) throw invalidField('', 'must be an object or a form')
  const twice = Object.keys(inQuery).find(name => Object.hasOwn(inBody, name))
  if (twice !== undefined) throw invalidField(twice, 'is in the query and in the body')
  return { ...inQuery, ...inBody }
}

const known = (fields: Fields): string => {
  const names = Object.keys(fields)
  return names.length === 0 ? '' : `; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`
}

/** Parses the parameters present. Throws `invalid` with every one that is wrong or unknown. */
export const readFields = <F extends Fields>(given: Given, fields: F): FieldValues<F> => {
  const faults: FieldError[] = []
  const values: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(given)) {
    const field = Object.hasOwn(fields, path) ? fields[path] : undefined
    const read = field?.read(value)
    if (field === undefined) faults.push({ path, message: `is not a known parameter${known(fields)}` })
    else if (Array.isArray(value)) faults.push({ path, message: 'is given more than once' })
    else if (read === undefined) faults.push({ path, message: field.wanted })
    else values[path] = read
  }
  refuseFields(faults)
  return values as FieldValues<F>
}
