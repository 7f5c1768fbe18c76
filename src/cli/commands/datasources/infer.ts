import { csvReadingText } from '../../../model/csv-reading.ts'
import { call } from '../../client/request.ts'
import type { Row } from '../../client/rows.ts'
import { findServer, type ServerAddress } from '../../client/server-address.ts'
import {
  addContentOptions,
  asQuery,
  type ContentOptions,
  contentFields,
  contentHeaders,
  isUrl,
} from '../../content-options.ts'
import type { CliContext } from '../../context.ts'
import type { Define } from '../../define.ts'
import { fileContent, findFile } from '../../local-file.ts'
import { formatRows } from '../../terminal/rows-table.ts'
import { formatTable } from '../../terminal/table.ts'

type InferOptions = ContentOptions & { readonly schema?: boolean; readonly json?: boolean }

type InferredColumn = { readonly name: string; readonly type: string; readonly json_path: string | null }

type InferAnswer = {
  readonly schema: readonly InferredColumn[]
  readonly format: string
  readonly header: boolean | null
  readonly delimiter: string | null
  readonly rows: readonly Row[]
  readonly whole: boolean
}

/** `millrace datasources infer FILE`: previews the data source that an import with --create would create from a file or URL. */
export const defineInfer: Define = (command, context) => {
  addContentOptions(
    command
      .description('preview the data source that an import would create')
      .argument('<file or url>', 'a file, - for standard input; or http(s)://, s3://, file:// for the server to read'),
  )
    .option('--schema', 'print only the columns, as a value for datasources create --schema')
    .option('--json', 'print the response as JSON')
    .action(async (place: string, { schema, json, ...options }: InferOptions) => {
      const answer = await infer(findServer(context), place, options, context)
      if (json) context.stdout.write(`${JSON.stringify(answer)}\n`)
      else if (schema) context.stdout.write(`${schemaText(answer.schema)}\n`)
      else show(answer, context)
    })
}

const PATH = '/v1/datasources/infer'

const infer = async (
  server: ServerAddress,
  place: string,
  options: ContentOptions,
  context: CliContext,
): Promise<InferAnswer> => {
  const fields = contentFields(place, options)
  if (isUrl(place)) return call<InferAnswer>(server, { method: 'POST', path: PATH, json: { url: place, ...fields } })
  const most = fields.format === 'parquet' ? Number.POSITIVE_INFINITY : ENOUGH_BYTES
  const content = await openContent(place, most, context)
  return call<InferAnswer>(server, { method: 'POST', path: PATH, query: asQuery(fields), ...content })
}

/** The content, or as much of its start as is enough. */
const openContent = async (place: string, most: number, context: CliContext) => {
  if (place === '-') return { headers: contentHeaders(null), body: beginningOf(context.stdin, most) }
  const file = await findFile(place, context)
  const size = Math.min(file.size, most)
  return { headers: contentHeaders(size), body: fileContent({ ...file, size }) }
}

/** More than the server examines of a format other than Parquet: a MiB of UTF-8, which can be two of UTF-16. */
const ENOUGH_BYTES = 4 * 1024 * 1024

async function* beginningOf(content: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let sent = 0
  for await (const chunk of content) {
    yield chunk
    sent += chunk.length
    if (sent >= most) return
  }
}

/** Columns in SQL notation. */
const schemaText = (schema: readonly InferredColumn[]): string =>
  schema
    .map(({ name, type }) => `${/^\w+$/.test(name) ? name : `\`${name.replaceAll('`', '\\`')}\``} ${type}`)
    .join(', ')

const NO_ROWS = '; there are no rows, so all columns are text'

const show = (
  { schema, format, header, delimiter, rows, whole }: InferAnswer,
  { stdout, stderr }: CliContext,
): void => {
  const paths = schema.some(({ json_path }) => json_path !== null)
  stdout.write(
    formatTable<InferredColumn>(
      [
        { title: 'COLUMN', value: column => column.name },
        { title: 'TYPE', value: column => column.type },
        ...(paths ? [{ title: 'JSON PATH', value: (column: InferredColumn) => column.json_path ?? '' }] : []),
      ],
      schema,
      stdout.columns,
    ),
  )
  if (rows.length > 0) stdout.write(`\n${formatRows(rows, stdout.columns)}`)
  const reading = header === null || delimiter === null ? format : csvReadingText({ delimiter, header })
  stderr.write(
    `${reading}${whole ? '' : '; guessed from its beginning'}${header === true && rows.length === 0 ? NO_ROWS : ''}\n`,
  )
}
