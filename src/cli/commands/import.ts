import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { WRITE_MODES } from '../../model/data-source.ts'
import { dataSourcePath } from '../client/data-sources.ts'
import type { SubmitAnswer } from '../client/jobs.ts'
import { call } from '../client/request.ts'
import { findServer, type ServerAddress } from '../client/server-address.ts'
import {
  addContentOptions,
  asQuery,
  type ContentFields,
  type ContentOptions,
  contentFields,
  contentHeaders,
  isUrl,
} from '../content-options.ts'
import type { CliContext } from '../context.ts'
import { addDataJobOptions, type DataJobOptions, followDataJob, runDataJob } from '../data-job.ts'
import type { Define } from '../define.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { fileContent, findFile } from '../local-file.ts'
import { type Submitted, watchSubmission } from '../submit-watched.ts'
import { progressBar } from '../terminal/progress-bar.ts'

type ImportOptions = DataJobOptions &
  ContentOptions & {
    readonly mode?: string
    readonly replaceCondition?: string
    readonly create?: boolean
    readonly maxBadRows?: string
  }

/** `millrace import FILE DATASOURCE`: uploads a file, or names a URL, and waits until its rows are there. */
export const importRows: Define = (command, context, finish) => {
  addDataJobOptions(addImportOptions(command)).action(
    async (place: string, datasource: string, options: ImportOptions) => {
      if (isUrl(datasource)) throw swapped(datasource, place)
      const server = findServer(context)
      const fields = fieldsOf(place, options)
      if (isUrl(place)) {
        const body = { import: { datasource, url: place, ...fields } }
        return finish(await runDataJob({ server, context, body, options }))
      }
      const submitted = await upload({ server, place, datasource, fields, options, context })
      finish(await followDataJob({ server, context, options, ...submitted }))
    },
  )
}

const swapped = (place: string, datasource: string): CliFailure =>
  new CliFailure(`the URL comes first, then the data source: millrace import ${place} ${datasource}`, {
    exitCode: EXIT.usage,
  })

const addImportOptions = (command: Command): Command =>
  addContentOptions(
    command
      .argument(
        '<file or url>',
        'a file to upload, - for standard input; or http(s)://, s3://, file:// for the server to read',
      )
      .argument('<datasource>', 'name of the data source')
      .addOption(new Option('-m, --mode <mode>', 'default: append').choices(WRITE_MODES))
      .option('--replace-condition <expression>', 'with --mode replace: replace only rows that match')
      .option('-c, --create', 'create the data source if it is missing, with a schema inferred from the content')
      .option('--max-bad-rows <count or share>', 'fail if more rows are bad, such as 100 or 5%'),
  )

/** The fields of the job body. */
const fieldsOf = (place: string, options: ImportOptions): ContentFields => ({
  ...contentFields(place, options),
  mode: options.mode,
  replace_condition: options.replaceCondition,
  create: options.create,
  max_bad_rows: countOrShare(options.maxBadRows),
})

const countOrShare = (text: string | undefined): number | string | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : text

type Upload = {
  readonly server: ServerAddress
  readonly place: string
  readonly datasource: string
  readonly fields: ContentFields
  readonly options: ImportOptions
  readonly context: CliContext
}

/** Until all content has been sent, there is no job that Ctrl-C would have to cancel. */
const upload = async ({ server, place, datasource, fields, options, context }: Upload): Promise<Submitted> => {
  const { name, timeout } = options
  const { headers, body } = await openContent(place, context)
  let isSent = false
  const content = async function* () {
    yield* body
    isSent = true
  }
  const request = {
    method: 'POST',
    path: dataSourcePath(datasource, '/import'),
    query: asQuery({ ...fields, name, timeout_seconds: timeout }),
    headers,
    body: content(),
  } as const
  const submit = () => call<SubmitAnswer>(server, request)
  return watchSubmission({ context, submit, mayLeave: () => !isSent || options.detach === true })
}

const openContent = async (place: string, { stdin, stderr, ...context }: CliContext) => {
  if (place === '-') return { headers: contentHeaders(null), body: progressBar(stderr, 'uploading', null)(stdin) }
  const file = await findFile(place, context)
  return {
    headers: contentHeaders(file.size),
    body: progressBar(stderr, basename(place), file.size)(fileContent(file)),
  }
}
