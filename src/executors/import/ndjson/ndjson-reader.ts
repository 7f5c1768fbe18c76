import type { DataSource } from '../../../model/data-source.ts'
import { type JsonPath, jsonPathOf } from '../../../model/json-path.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { quoteText } from '../../../warehouse/quote-text.ts'
import { exactNumbers, textOfJson } from '../load/exact-json.ts'
import type { Reader } from '../load/reader.ts'

/**
 * Every value as the text that it is in the JSON, an object or a list as JSON; NULL where it is null or missing. Values deeper down (`$.user.id`) are taken out of
 * the object they are in, the numbers as they are written.
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
      return { name, type, column, text: textOf(paths[index]!), emptyIsNull: false, isUtf8, asIs: null, unfit: null }
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
  // `auto` takes a key in other letters for one that no line had yet, and then refuses the right one as its second.
  input_format_column_name_matching_mode: 'match_case',
}

const textOf = ([root, ...below]: JsonPath): string => {
  const outer = quoteIdentifier(String(root))
  if (below.length === 0) return outer
  const whole = `ifNull(${outer}, '')`
  const exact = `arrayMap(r -> ${textOfJson('r')}, [${rawAt('j', below)}])[1]`
  // Each has a name, for it stands there several times over; inside, a column could be called so. Nothing is left of what has the mark of numbers in it.
  return `arrayMap((j, w) -> if(j = '', ${plainTextAt('w', below)}, ${exact}), [${exactNumbers(whole)}], [${whole}])[1]`
}

/** SQL: JSON with its numbers as the parser has them. */
const plainTextAt = (json: string, below: JsonPath): string =>
  `arrayMap(r -> multiIf(r IN ('', 'null'), NULL, startsWith(r, '"'), JSONExtractString(r), r), [${rawAt(json, below)}])[1]`

/** SQL: the JSON of what is at a place, '' where nothing is. */
const rawAt = (json: string, below: JsonPath): string => {
  // Places in lists count from 1 there.
  const keys = below.map(part => (typeof part === 'number' ? String(part + 1) : quoteText(part)))
  const place = (depth: number): string => [json, ...keys.slice(0, depth)].join(', ')
  // In an object a place would be that of its values.
  const areLists = below.flatMap((part, depth) =>
    typeof part === 'number' ? [`JSONType(${place(depth)}) = 'Array'`] : [],
  )
  const raw = `JSONExtractRaw(${place(below.length)})`
  return areLists.length === 0 ? raw : `if(${areLists.join(' AND ')}, ${raw}, '')`
}
