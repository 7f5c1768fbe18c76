import Type from 'typebox'
import { LOG_STREAMS } from '../../model/log-line.ts'
import { NO_NUL } from '../../model/patterns.ts'
import { choice, NullableInteger, strictObject, Time } from './basics.ts'

const filters = {
  stream: Type.Optional(choice(LOG_STREAMS)),
  attempt: Type.Optional(Type.Integer({ minimum: 1 })),
  q: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1000, pattern: NO_NUL, description: 'Only lines with this text.' }),
  ),
}

/** One query for all forms of a log: page, download and stream. */
export const LogQuery = strictObject({
  ...filters,
  after: Type.Optional(Type.Integer({ minimum: 0, description: 'Lines after this seq.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'Of the page; 1000 by default.' })),
  tail: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'The last so many lines.' })),
  from: Type.Optional(Type.Integer({ minimum: 1, description: 'Streams: the first seq; 1 by default.' })),
  batch: Type.Optional(Type.Boolean({ description: 'Streams: lists of lines instead of one line a message.' })),
  token: Type.Optional(Type.String({ description: 'Streams: the token, where no header can be sent.' })),
})

export const LogPage = Type.Object({
  lines: Type.Array(
    Type.Object({
      seq: Type.Integer(),
      attempt: Type.Integer(),
      stream: choice(LOG_STREAMS),
      timestamp: Time,
      line: Type.String(),
      continues: Type.Optional(Type.Boolean({ description: 'The line was too long: the next line goes on.' })),
    }),
  ),
  next_after: NullableInteger,
})
