import Type, { type Static } from 'typebox'
import { PLAIN_TEXT } from '../../model/patterns.ts'

/** RFC 9110, 5.6.2: the characters allowed in a header name. */
const HEADER_NAME = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
/** RFC 9110, 5.5, as Latin-1: no control characters, and in particular no line breaks. */
const HEADER_VALUE = '^[\\t\\x20-\\x7e\\x80-\\xff]*$'

const Status = Type.Integer({ minimum: 100, maximum: 599 })

const HttpRequest = Type.Object(
  {
    url: Type.String({ minLength: 1, maxLength: 4096, pattern: PLAIN_TEXT, description: 'http or https.' }),
    method: Type.Optional(
      Type.Union(
        ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map(method => Type.Literal(method)),
        { description: 'Default: GET.' },
      ),
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String({ maxLength: 8192, pattern: HEADER_VALUE }), {
        propertyNames: { minLength: 1, maxLength: 128, pattern: HEADER_NAME },
        maxProperties: 128,
      }),
    ),
    body: Type.Optional(
      Type.Union([Type.String(), Type.Object({}), Type.Array(Type.Unknown())], {
        description: 'A string is sent unchanged, an object or a list as JSON.',
      }),
    ),
    expected_status: Type.Optional(
      Type.Union([Status, Type.Array(Status, { minItems: 1, maxItems: 100 })], {
        description: 'One or several statuses. Default: 200.',
      }),
    ),
  },
  { additionalProperties: false, description: 'A request to send.' },
)

/** The fields of a job body specific to kind `http`. */
export const httpProperties = { http: HttpRequest } as const

export type HttpSpec = { readonly http: Static<typeof HttpRequest> }

/** The response statuses that count as success. */
export const expectedStatuses = ({ expected_status: expected = 200 }: HttpSpec['http']): readonly number[] =>
  typeof expected === 'number' ? [expected] : expected
