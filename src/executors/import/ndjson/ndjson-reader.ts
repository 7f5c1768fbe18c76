import type { DataSource } from '../../../model/data-source.ts'
import { type JsonPath, jsonPathOf } from '../../../model/json-path.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { quoteText } from '../../../warehouse/quote-text.ts'
import { exactNumbers, textOfJson } from '../load/exact-json.ts'
import type { ReadColumn, Reader } from '../load/reader.ts'

/**
 * Reads every value as its text in the JSON, and an object or a list as JSON; NULL if it is null or missing. Nested values (`$.user.id`) are extracted from the
 * object they are in, with numbers as written.
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
      return {
        name,
        type,
        column,
        ...textOf(paths[index]!, { roots, index }),
        emptyIsNull: false,
        isUtf8,
        asIs: null,
        unfit: null,
      }
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
  // `auto` reads a key in another case as one that no line had yet, and then refuses the right one as a duplicate.
  input_format_column_name_matching_mode: 'match_case',
}

type Place = { readonly roots: readonly string[]; readonly index: number }

/** Named parts, because a column uses its text many times, and the engine takes long to analyse a long statement. */
const textOf = ([root, ...below]: JsonPath, { roots, index }: Place): Pick<ReadColumn, 'text' | 'shared'> => {
  const outer = quoteIdentifier(String(root))
  if (below.length === 0) return { text: outer }
  const text = quoteIdentifier(`\ttext${index}`)
  const exact = quoteIdentifier(`\texact${roots.indexOf(String(root))}`)
  const whole = `ifNull(${outer}, '')`
  const exactText = `arrayMap(r -> ${textOfJson('r')}, [${rawAt(exact, below)}])[1]`
  // `exact` is '' if the JSON contains the mark of numbers.
  const either = `if(${exact} = '', ${plainTextAt(whole, below)}, ${exactText})`
  return { text, shared: [`${exactNumbers(whole)} AS ${exact}`, `${either} AS ${text}`] }
}

/** SQL: the text at a path, with numbers as the parser reads them. */
const plainTextAt = (json: string, below: JsonPath): string =>
  `arrayMap(r -> multiIf(r IN ('', 'null'), NULL, startsWith(r, '"'), JSONExtractString(r), r), [${rawAt(json, below)}])[1]`

/** SQL: the JSON at a path, '' if there is nothing. */
const rawAt = (json: string, below: JsonPath): string => {
  // Indexes of lists start at 1 there.
  const keys = below.map(part => (typeof part === 'number' ? String(part + 1) : quoteText(part)))
  const place = (depth: number): string => [json, ...keys.slice(0, depth)].join(', ')
  // In an object, an index would select one of its values.
  const areLists = below.flatMap((part, depth) =>
    typeof part === 'number' ? [`JSONType(${place(depth)}) = 'Array'`] : [],
  )
  const raw = `JSONExtractRaw(${place(below.length)})`
  return areLists.length === 0 ? raw : `if(${areLists.join(' AND ')}, ${raw}, '')`
}
