/** An error as ClickHouse tells it: its number, and the text that follows `DB::Exception: `. */
export class ClickHouseError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.name = 'ClickHouseError'
    this.code = code
  }
}

/** Numbers of ClickHouse's table of errors that this process itself uses. */
export const ERROR = { BAD_ARGUMENTS: 36, SYNTAX_ERROR: 62, TOO_MANY_SIMULTANEOUS_QUERIES: 202, UNKNOWN: 1002 } as const

/** What chDB rejects with: `Code: 60. DB::Exception: Unknown table … (UNKNOWN_TABLE)`. Anything else keeps its text. */
export const toClickHouseError = (error: unknown): ClickHouseError => {
  if (error instanceof ClickHouseError) return error
  const text = error instanceof Error ? error.message : String(error)
  const match = /^Code: (\d+)\. DB::(?:\w*)Exception: ([\s\S]*)$/.exec(text)
  if (match === null) return new ClickHouseError(ERROR.UNKNOWN, text)
  return new ClickHouseError(Number(match[1]), match[2]!)
}

/** The body of an error answer, and of an exception in mid-stream. */
export const errorText = (error: ClickHouseError, version: string): string =>
  `Code: ${error.code}. DB::Exception: ${error.message.trimEnd()} (version ${version})\n`

const STATUS_OF_CODE: ReadonlyMap<number, number> = new Map([
  ...[
    1, 6, 20, 26, 27, 28, 33, 35, 36, 38, 41, 42, 43, 44, 46, 47, 50, 53, 57, 58, 62, 63, 69, 70, 72, 80, 81, 82, 115,
    130,
  ].map(code => [code, 400] as const),
  ...[131, 181, 182, 184, 190, 215, 241, 352, 386, 456, 457].map(code => [code, 400] as const),
  ...[60, 61, 16, 117, 218].map(code => [code, 404] as const),
  [159, 408],
  [202, 429],
  [48, 501],
  [164, 403],
  [497, 403],
])

/** ClickHouse answers what the statement is to blame for with 4xx; a client goes by the body, not by this. */
export const statusOf = (error: ClickHouseError): number => STATUS_OF_CODE.get(error.code) ?? 500
