import Type from 'typebox'
import { DATA_FORMATS, WRITE_MODES } from '../../model/data-source.ts'
import { PLAIN_TEXT } from '../../model/patterns.ts'
import { choice, Id, strictObject, Time } from './basics.ts'

const text = (maxLength: number, description: string) => Type.Optional(Type.String({ maxLength, description }))

/** The fields of `import` in a job body that neither the path nor the content determines; and some fields of every job. */
export const ImportQuery = strictObject({
  format: Type.Optional(choice(DATA_FORMATS, 'Default: from the Content-Type.')),
  mode: Type.Optional(choice(WRITE_MODES, 'Default: append.')),
  replace_condition: text(16 * 1024, 'With mode=replace: replace only rows that match.'),
  create: Type.Optional(Type.Boolean({ description: 'Create the data source if it is missing.' })),
  delimiter: text(16, 'CSV. Default: as named by a first line such as sep=; or detected from the lines.'),
  quote: text(16, 'CSV. Default: ".'),
  header: Type.Optional(
    Type.Boolean({ description: 'CSV: whether the first line has column names. Default: detected.' }),
  ),
  skip_lines: Type.Optional(
    Type.Integer({ description: 'CSV: number of lines to skip before the header or the first row. Default: 0.' }),
  ),
  encoding: text(
    64,
    'Encoding of text, such as windows-1252. Default: the charset of the Content-Type, otherwise utf-8.',
  ),
  compression: text(16, 'Default: from the Content-Encoding.'),
  type_guessing: Type.Optional(Type.Boolean({ description: 'With create: false makes all columns text.' })),
  max_bad_rows: text(32, 'A count, or a share such as 5%. The import fails if more rows are bad.'),
  name: Type.Optional(Type.String({ maxLength: 255, pattern: PLAIN_TEXT, description: 'Name of the job.' })),
  queue: text(128, 'Queue of the job.'),
  timeout_seconds: Type.Optional(Type.Number({ description: 'Timeout of each attempt.' })),
})

export const ImportAnswer = Type.Object({
  job_id: Id,
  status: Type.String({ description: 'pending or queued.' }),
  created_at: Time,
  content: Type.Object(
    { bytes: Type.Integer(), sha256: Type.String() },
    { description: 'Size and hash of the received content.' },
  ),
})
