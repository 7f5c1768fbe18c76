import Type from 'typebox'
import { LOG_STREAMS } from '../../model/log-line.ts'
import { NO_NUL } from '../../model/patterns.ts'
import { choice, NullableInteger, strictObject, Time } from './basics.ts'

const filters = {
  stream: Type.Optional(choice(LOG_STREAMS)),
  attempt: Type.Optional(Type.Integer({ minimum: 1 })),
  q: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1000,
      pattern: NO_NUL,
      description: 'Only lines that contain this text, case-insensitive.',
    }),
  ),
}

/** One query for all forms of a log: page, download and stream. */
export const LogQuery = strictObject({
  ...filters,
  after: Type.Optional(Type.Integer({ minimum: 0, description: 'Only lines after this seq.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'Lines per page. Default: 1000.' })),
  tail: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'Only this many of the last lines.' })),
  from: Type.Optional(Type.Integer({ minimum: 1, description: 'Streams: the first seq. Default: 1.' })),
  batch: Type.Optional(Type.Boolean({ description: 'Streams: send lists of lines instead of one line per message.' })),
  token: Type.Optional(Type.String({ description: 'Streams: the token, for clients that cannot send headers.' })),
})

export const LogPage = Type.Object({
  lines: Type.Array(
    Type.Object({
      seq: Type.Integer(),
      attempt: Type.Integer(),
      stream: choice(LOG_STREAMS),
      timestamp: Time,
      line: Type.String(),
      continues: Type.Optional(Type.Boolean({ description: 'true: the line was split; the next entry continues it.' })),
    }),
  ),
  next_after: NullableInteger,
})
