import type { FastifyRequest } from 'fastify'
import Type, { type TSchema } from 'typebox'
import { type FieldError, invalidField, refuseFields } from '../../../kernel/errors.ts'
import { readTimestamp } from '../../../kernel/read-timestamp.ts'
import { strictObject } from '../../schemas/basics.ts'

/** How one parameter is read. It comes in the query, in a form or in JSON, and only the last has more than texts. */
type Field<T> = {
  readonly schema: TSchema
  /** What would be right. */
  readonly wanted: string
  /** Undefined: it is none. */
  readonly read: (value: unknown) => T | undefined
}

export type Fields = Readonly<Record<string, Field<unknown>>>
/** What `readFields` gives of them. */
export type FieldValues<F extends Fields> = { readonly [Name in keyof F]?: F[Name] extends Field<infer T> ? T : never }
type Given = Readonly<Record<string, unknown>>

export const textField = (description: string): Field<string> => ({
  schema: Type.String({ description }),
  wanted: 'must be well-formed text without NUL',
  read: value => (isText(value) ? value : undefined),
})

/** Databases take neither NUL nor half a surrogate pair. */
const isText = (value: unknown): value is string =>
  typeof value === 'string' && !value.includes('\u0000') && value.isWellFormed()

export const flagField = (description: string): Field<boolean> => ({
  // Not a boolean: the server's own reading of a query would make one of the empty text, too.
  schema: Type.Unsafe<boolean>({ type: ['boolean', 'string'], description }),
  wanted: 'must be true or false',
  read: value => {
    if (value === true || value === 'true' || value === '1') return true
    return value === false || value === 'false' || value === '0' ? false : undefined
  },
})

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

export const choiceField = <T extends string>(choices: readonly T[], description: string): Field<T> => ({
  schema: Type.Unsafe<T>({ type: 'string', enum: [...choices], description }),
  wanted: `must be one of ${choices.join(', ')}`,
  read: value => choices.find(choice => choice === value),
})

/** ISO 8601, to the millisecond; without a zone it is UTC. A plus that was not escaped arrives as a blank. */
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

/** For the reference alone: what is wrong is told by `readFields`. */
export const fieldsSchema = (fields: Fields) =>
  strictObject(Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, Type.Optional(schema)])))

/** All parameters of a request, wherever they are. Throws `invalid` for one that is in both places. */
export const givenFields = ({ query, body }: Pick<FastifyRequest, 'query' | 'body'>): Given => {
  const inQuery = query as Given
  const inBody = body ?? {}
  if (typeof inBody !== 'object' || Array.isArray(inBody)) throw invalidField('', 'must be an object or a form')
  const twice = Object.keys(inQuery).find(name => Object.hasOwn(inBody, name))
  if (twice !== undefined) throw invalidField(twice, 'is in the query and in the body')
  return { ...inQuery, ...inBody }
}

const MOST_FAULTS = 20

const known = (fields: Fields): string => {
  const names = Object.keys(fields)
  return names.length === 0 ? '' : `; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`
}

/** Reads parameters that are there into their types. Throws `invalid` with each that is wrong or not known. */
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
  refuseFields(faults.slice(0, MOST_FAULTS))
  return values as FieldValues<F>
}
