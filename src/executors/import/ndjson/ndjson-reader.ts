import type { DataSource } from '../../../model/data-source.ts'
import { type JsonPath, jsonPathOf } from '../../../model/json-path.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { quoteText } from '../../../warehouse/quote-text.ts'
import type { Reader } from '../load/reader.ts'

/**
 * Every value as the text that it is in the JSON, an object or a list as JSON; NULL where it is null or missing. Values deeper down (`$.user.id`) are taken out of
 * the object they are in.
 */
export const ndjsonReader = (target: DataSource, { isUtf8 }: { isUtf8: boolean }): Reader => {
  const paths = target.columns.map(jsonPathOf)
  const roots = [...new Set(paths.map(([root]) => String(root)))]
  return {
    format: 'JSONEachRow',
    structure: roots.map(root => `${quoteIdentifier(root)} Nullable(String)`).join(', '),
    settings: SETTINGS,
    columns: target.columns.map((column, index) => {
      const { name, type } = column
      return { name, type, column, text: textOf(paths[index]!), emptyIsNull: false, isUtf8, asIs: null }
    }),
    isBlank: '0',
    isRagged: '0',
  }
}

const SETTINGS = {
  input_format_json_read_numbers_as_strings: 1,
  input_format_json_read_bools_as_strings: 1,
  input_format_json_read_objects_as_strings: 1,
  input_format_json_read_arrays_as_strings: 1,
  input_format_json_throw_on_bad_escape_sequence: 0,
  input_format_skip_unknown_fields: 1,
  input_format_json_max_depth: 2000,
}

const textOf = ([root, ...below]: JsonPath): string => {
  const outer = quoteIdentifier(String(root))
  if (below.length === 0) return outer
  // Places in lists count from 1 there.
  const keys = below.map(part => (typeof part === 'number' ? String(part + 1) : quoteText(part)))
  const place = (depth: number): string => [`ifNull(${outer}, '')`, ...keys.slice(0, depth)].join(', ')
  const whole = place(below.length)
  const kind = `JSONType(${whole})`
  // In an object a place would be that of its values.
  const isNone = below.flatMap((part, depth) =>
    typeof part === 'number' ? [`JSONType(${place(depth)}) != 'Array'`] : [],
  )
  const isNull = [`${kind} = 'Null'`, ...isNone].join(' OR ')
  return `multiIf(${isNull}, NULL, ${kind} = 'String', JSONExtractString(${whole}), JSONExtractRaw(${whole}))`
}
