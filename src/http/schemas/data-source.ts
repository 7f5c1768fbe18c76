import Type from 'typebox'
import { DATA_FORMATS } from '../../model/data-source.ts'
import { NO_NUL } from '../../model/patterns.ts'
import { IdFilter, NullableInteger, NullableText, pageEnd, pageQuery, strictObject, Time } from './basics.ts'

export const DataSourcePath = strictObject({ datasource: Type.String({ description: 'Name or id.' }) })

export const DataId = Type.String({ description: 't_ and 32 hex digits.' })

/** Longer than any name, because invalid names get messages of their own. */
export const nameText = Type.String({ maxLength: 1024 })

const nullable = (maxLength: number, description: string) =>
  Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength, pattern: NO_NUL, description }))

const ColumnSchema = strictObject({
  name: nameText,
  type: Type.String({
    maxLength: 4096,
    description: 'A ClickHouse type, such as Nullable(Int32) or AggregateFunction(sum, Float64).',
  }),
  json_path: Type.Optional(
    Type.Unsafe<string | null>({
      type: ['string', 'null'],
      maxLength: 1024,
      description:
        "Path of the value in NDJSON objects ($.user.id, $.tags[0]). Default: the key with the column's name.",
    }),
  ),
  default: nullable(4096, "A literal in SQL that takes the place of a missing value: 0, 'none', [1, 2]."),
})

type GivenColumn = {
  readonly name: string
  readonly type: string
  readonly json_path?: string | null
  readonly default?: string | null
}
export type GivenSchema = readonly GivenColumn[] | string

const SchemaOrText = Type.Unsafe<GivenSchema>({
  type: ['array', 'string'],
  items: ColumnSchema,
  maxItems: 1000,
  maxLength: 64 * 1024,
  description: '1 to 500 columns, or one string: "id Int32, name Nullable(String)".',
})

const description = nullable(4096, 'For people.')
const fixed = {
  engine: Type.Optional(
    Type.String({
      maxLength: 4096,
      description: 'MergeTree (default) or another of its family, such as SummingMergeTree(n).',
    }),
  ),
  sorting_key: nullable(16 * 1024, 'Expressions that rows are sorted by: "day, user_id".'),
  partition_key: nullable(16 * 1024, 'An expression that splits the table into partitions: "toYYYYMM(day)".'),
}
const ttl = nullable(16 * 1024, 'When rows expire: "day + INTERVAL 1 YEAR"; null: never.')

export const NewDataSourceBody = strictObject({ name: nameText, description, schema: SchemaOrText, ...fixed, ttl })

const NullableFormat = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  enum: [...DATA_FORMATS, null],
  description: 'Format of the last import; null: none yet.',
})

/** Fields that the server adds to a definition. A `PUT` ignores them, so that the answer to a `GET` can be sent back. */
const shown = {
  format: NullableFormat,
  row_count: NullableInteger,
  bytes: Type.Unsafe<number | null>({ type: ['integer', 'null'], description: 'Size on disk, compressed.' }),
  quarantine_rows: NullableInteger,
  used_by: Type.Array(Type.String(), { description: 'Pipes that read it or write to it.' }),
  created_at: Time,
  updated_at: Time,
}

const ignored = Object.fromEntries(
  ['datasource_id', ...Object.keys(shown)].map(name => [
    name,
    Type.Optional(Type.Unknown({ description: 'Ignored.' })),
  ]),
)

export const DataSourceChangeBody = strictObject({
  description,
  schema: Type.Optional(SchemaOrText),
  ttl,
  name: Type.Optional(nameText),
  ...fixed,
  ...ignored,
})

export const DataSourceSchema = Type.Object(
  {
    datasource_id: DataId,
    name: Type.String(),
    description: NullableText,
    schema: Type.Array(
      Type.Object({
        name: Type.String(),
        type: Type.String(),
        json_path: NullableText,
        default: Type.Optional(Type.String({ description: 'Only if the column has one.' })),
      }),
    ),
    engine: Type.String(),
    sorting_key: NullableText,
    partition_key: NullableText,
    ttl: NullableText,
    ...shown,
  },
  {
    title: 'DataSource',
    description: 'row_count, bytes and quarantine_rows are null while no data engine is available.',
  },
)

export const DataSourcePage = Type.Object({ datasources: Type.Array(DataSourceSchema), ...pageEnd })

export const DataPageQuery = strictObject(pageQuery)

export const QuarantineFilter = strictObject({
  import_id: Type.Optional({ ...IdFilter, description: 'Only the rows of this import job. Default: all.' }),
})

export const QuarantinePage = Type.Object({
  rows: Type.Array(Type.Object({}, { additionalProperties: true }), {
    description:
      'All columns as text, with c__error_column and c__error (which column does not fit, and why), c__import_id (the job) and insertion_date.',
  }),
  ...pageEnd,
})
