import type { Endpoint } from './engines.ts'
import { WarehouseError } from './warehouse.ts'

type Parameters = Readonly<Record<string, unknown>>

/** Throws `WarehouseError` `sql_error` if the parameters exceed the endpoint's limit (`Endpoint.parameterBytes`). */
export const refuseLong = ({ parameterBytes }: Pick<Endpoint, 'parameterBytes'>, parameters: Parameters): void => {
  if (parameterBytes === undefined) return
  const lengths = lengthsOf(parameters, text => Buffer.byteLength(text))
  const sum = lengths.reduce((bytes, { length }) => bytes + length, 0)
  if (sum <= parameterBytes) return
  const [longest] = lengths
  throw new WarehouseError(
    'sql_error',
    `The parameters of the query have ${inWords(sum)} together, and may have ${inWords(parameterBytes)}. ${longest!.name} has ${inWords(longest!.length)}.`,
  )
}

/** The message for a request that an engine rejected as too long. */
export const tooLongText = (parameters: Parameters): string => {
  const [longest] = lengthsOf(parameters, text => new URLSearchParams({ '': text }).toString().length - 1)
  if (longest === undefined) return 'The SQL is too long for the engine.'
  return `The parameters of the query are too long for the engine. ${longest.name} has ${inWords(longest.length)} as it is encoded in an address; a ClickHouse server takes ${OF_A_SERVER} unless its settings say otherwise.`
}

/** `http_max_field_value_size` and `http_max_uri_size`. */
const OF_A_SERVER = '131,072 of each and 1,048,576 of all'

const inWords = (bytes: number): string => `${bytes.toLocaleString('en')} bytes`

/** Longest first. */
const lengthsOf = (parameters: Parameters, lengthOf: (text: string) => number) =>
  Object.entries(parameters)
    .map(([name, value]) => ({
      name,
      length: lengthOf(typeof value === 'object' ? JSON.stringify(value) : String(value)),
    }))
    .sort((one, other) => other.length - one.length)
