import type { Column, DataSource } from '../../../model/data-source.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { quoteText } from '../../../warehouse/quote-text.ts'
import type { Reader } from '../load/reader.ts'

/**
 * Every value as the text that it is in the JSON, an object or a list as JSON; NULL where it is null or missing. Values deeper down (`$.user.id`) are taken out of
 * the object they are in.
 */
export const ndjsonReader = (target: DataSource, { isUtf8 }: { isUtf8: boolean }): Reader => {
  const paths = target.columns.map(pathOf)
  const roots = [...new Set(paths.map(([root]) => root!))]
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
}

/** Keys from the outermost: `$.user.id`, also `$['user']['id']` and `$.tags[:]`, which is the list. */
const pathOf = ({ name, jsonPath }: Pick<Column, 'name' | 'jsonPath'>): readonly string[] => {
  const keys = [...(jsonPath ?? '').matchAll(/\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\]/g)].map(
    ([, plain, quoted]) => plain ?? quoted!.replace(/\\(.)/g, '$1'),
  )
  return keys.length === 0 ? [name] : keys
}

const textOf = ([root, ...below]: readonly string[]): string => {
  const outer = quoteIdentifier(root!)
  if (below.length === 0) return outer
  const place = `ifNull(${outer}, ''), ${below.map(quoteText).join(', ')}`
  const kind = `JSONType(${place})`
  return `multiIf(${kind} = 'Null', NULL, ${kind} = 'String', JSONExtractString(${place}), JSONExtractRaw(${place}))`
}
