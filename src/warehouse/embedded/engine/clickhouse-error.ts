/** An error as ClickHouse reports it: its code, and the text after `DB::Exception: `. */
export class ClickHouseError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.name = 'ClickHouseError'
    this.code = code
  }
}

/** The ClickHouse error codes that this process raises itself. */
export const ERROR = {
  BAD_ARGUMENTS: 36,
  SYNTAX_ERROR: 62,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  NOT_ENOUGH_SPACE: 243,
  QUERY_WAS_CANCELLED: 394,
  UNKNOWN: 1002,
} as const

/** Parses chDB's rejections: `Code: 60. DB::Exception: Unknown table … (UNKNOWN_TABLE)`. Any other error keeps its text, with code UNKNOWN. */
export const toClickHouseError = (error: unknown): ClickHouseError => {
  if (error instanceof ClickHouseError) return error
  const text = error instanceof Error ? error.message : String(error)
  const match = /^Code: (\d+)\. DB::(?:\w*)Exception: ([\s\S]*)$/.exec(text)
  if (match === null) return new ClickHouseError(ERROR.UNKNOWN, text)
  return new ClickHouseError(Number(match[1]), match[2]!)
}

/** The body of an error response, also used for an exception in mid-stream. */
export const errorText = (error: ClickHouseError, version: string): string =>
  `Code: ${error.code}. DB::Exception: ${error.message.trimEnd()} (version ${version})\n`

const STATUS_OF_CODES: readonly (readonly [status: number, codes: readonly number[]])[] = [
  // Does not parse or does not fit: text, rows, types, parameters.
  [
    400,
    [
      1, 6, 20, 25, 26, 27, 33, 36, 38, 41, 42, 43, 44, 53, 57, 62, 69, 70, 72, 80, 82, 117, 130, 131, 181, 182, 184,
      190,
    ],
  ],
  [400, [215, 216, 241, 352, 386, 456, 457]],
  // Does not exist: tables, functions, names, types, storages, databases, settings, formats.
  [404, [16, 46, 47, 50, 56, 60, 61, 63, 73, 78, 81, 115, 218, 336]],
  [403, [164, 497]],
  [408, [159]],
  [429, [202]],
  [501, [48]],
]

const STATUS_OF_CODE: ReadonlyMap<number, number> = new Map(
  STATUS_OF_CODES.flatMap(([status, codes]) => codes.map(code => [code, status] as const)),
)

/** ClickHouse answers 4xx when the statement is at fault. Clients go by the body, not by this status. */
export const statusOf = (error: ClickHouseError): number => STATUS_OF_CODE.get(error.code) ?? 500
