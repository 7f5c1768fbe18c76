import { type Command, Option } from 'commander'
import { DATA_FORMATS, type DataFormat } from '../model/data-source.ts'
import { wholeNumber } from './option-value.ts'

/** What `addContentOptions` parses. */
export type ContentOptions = {
  readonly format?: DataFormat
  readonly delimiter?: string
  readonly quote?: string
  readonly header?: boolean
  readonly skipLines?: number
  readonly encoding?: string
  readonly compression?: string
  readonly typeGuessing?: boolean
}

/** Options that describe the format of content. */
export const addContentOptions = (command: Command): Command =>
  command
    .addOption(new Option('-f, --format <format>', 'default: by the extension, otherwise csv').choices(DATA_FORMATS))
    .option('--delimiter <character>', 'CSV delimiter; default: detected')
    .option('--quote <character>', 'CSV quote; default: "')
    .option('--header', 'the first CSV line has column names')
    .option('--no-header', 'the first CSV line is a row')
    .option('--skip-lines <n>', 'number of CSV lines to skip before the header', wholeNumber)
    .option('--encoding <name>', 'encoding of text, such as windows-1252; default: utf-8')
    .option('--compression <name>', 'gzip, zstd or none; default: by the first bytes')
    .option('--no-type-guessing', 'make all columns of a new data source text')

/** Whether the server reads the content itself. */
export const isUrl = (place: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(place)

/** Fields of an import in the API; undefined ones are not sent. */
export type ContentFields = Readonly<Record<string, string | number | boolean | undefined>>

/** The options as fields of the API, and the format if the name of the content implies it. */
export const contentFields = (place: string, options: ContentOptions): ContentFields => {
  const { format, delimiter, quote, header, skipLines, encoding, compression, typeGuessing } = options
  return {
    format: format ?? formatOf(isUrl(place) && URL.canParse(place) ? new URL(place).pathname : place),
    delimiter: delimiter === '\\t' ? '\t' : delimiter,
    quote,
    header,
    skip_lines: skipLines,
    encoding,
    compression,
    type_guessing: typeGuessing === false ? false : undefined,
  }
}

/** The given fields as query parameters. */
export const asQuery = (fields: ContentFields): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  )

/**
 * The headers of content as a body; `size` is in bytes, null: unknown. Without a length, a server that refuses the token cuts the connection, and its answer may
 * be lost. Files of /proc have content, but no size.
 */
export const contentHeaders = (size: number | null): Readonly<Record<string, string>> => ({
  'content-type': 'application/octet-stream',
  ...(size ? { 'content-length': String(size) } : {}),
})

const FORMATS: Readonly<Record<string, DataFormat>> = {
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'ndjson',
  parquet: 'parquet',
}

const COMPRESSION = /\.(gz|zst)$/i

const formatOf = (file: string): DataFormat | undefined =>
  FORMATS[/\.(\w+)$/.exec(file.replace(COMPRESSION, ''))?.[1]?.toLowerCase() ?? '']
