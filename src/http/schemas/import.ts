import Type from 'typebox'
import { DATA_FORMATS, WRITE_MODES } from '../../model/data-source.ts'
import { PLAIN_TEXT } from '../../model/patterns.ts'
import { choice, Id, strictObject, Time } from './basics.ts'

const text = (maxLength: number, description: string) => Type.Optional(Type.String({ maxLength, description }))

/** The fields of `import` in a job body, but for what the path and the content say; and some that every job has. */
export const ImportQuery = strictObject({
  format: Type.Optional(choice(DATA_FORMATS, 'As the Content-Type says when absent.')),
  mode: Type.Optional(choice(WRITE_MODES, 'append by default.')),
  replace_condition: text(16 * 1024, 'With mode=replace: only rows for which it holds are replaced.'),
  create: Type.Optional(Type.Boolean({ description: 'Make the data source when it is missing.' })),
  delimiter: text(16, 'Of CSV; when absent what a first line sep=; names, or what the lines look like.'),
  quote: text(16, 'Of CSV; " by default.'),
  header: Type.Optional(Type.Boolean({ description: 'Whether the first line of CSV has names.' })),
  skip_lines: Type.Optional(
    Type.Integer({ description: 'Lines of CSV before the header or the first row that are skipped; 0 by default.' }),
  ),
  encoding: text(64, 'Of text, such as windows-1252; the charset of the Content-Type when absent, else utf-8.'),
  compression: text(16, 'As the Content-Encoding says when absent.'),
  type_guessing: Type.Optional(Type.Boolean({ description: 'false: with create, all columns are text.' })),
  max_bad_rows: text(32, 'A count, or a share such as 5%; more fail the import.'),
  name: Type.Optional(Type.String({ maxLength: 255, pattern: PLAIN_TEXT, description: 'Of the job.' })),
  queue: text(128, 'Of the job.'),
  timeout_seconds: Type.Optional(Type.Integer({ description: 'Of one attempt.' })),
})

export const ImportAnswer = Type.Object({
  job_id: Id,
  status: Type.String({ description: 'pending or queued.' }),
  created_at: Time,
  content: Type.Object({ bytes: Type.Integer(), sha256: Type.String() }, { description: 'What has arrived.' }),
})
