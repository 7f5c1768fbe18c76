/** Regular expressions (for JSON Schema, with the `u` flag) that are used in more than one place. */

export const NO_NUL = '^[^\\u0000]*$'
/** A line of text: no control characters. */
export const PLAIN_TEXT = '^[^\\u0000-\\u001f\\u007f]*$'
export const ENVIRONMENT_NAME = '^[^=\\u0000\\n\\r]+$'
/** A relative path that does not leave its directory. */
export const RELATIVE_GLOB = '^(?!/)(?!(?:.*/)?\\.\\.(?:/|$))[^\\u0000]*$'
/** Plain text without a colon: filters write key:value. */
export const LABEL_KEY = '^[^\\u0000-\\u001f\\u007f:]*$'
/** Names of queues. */
export const QUEUE_NAME = '^[A-Za-z0-9][A-Za-z0-9_.:-]*$'
/** How many bad rows an import may have: a count, or a percentage of the rows read, at most 100%. */
export const MAX_BAD_ROWS = '^(\\d{1,15}|(100(\\.0{1,6})?|\\d{1,2}(\\.\\d{1,6})?)%)$'
/** The delimiter of CSV. */
export const DELIMITER = '^[\\t\\x20-\\x7e]$'
/** Names of data sources, pipes and nodes. */
export const IDENTIFIER = '^[A-Za-z_][A-Za-z0-9_]*$'

/** The meaning of each pattern, for error messages. */
export const PATTERN_MEANING: Readonly<Record<string, string>> = {
  [NO_NUL]: 'must not hold a NUL character',
  [PLAIN_TEXT]: 'must not hold control characters',
  [ENVIRONMENT_NAME]: 'must be a name without "=", NUL and line ends',
  [RELATIVE_GLOB]: 'must be relative and without ".."',
  [LABEL_KEY]: 'must not hold control characters or ":"',
  [QUEUE_NAME]: 'must be letters, digits, "_", ".", ":" and "-", beginning with a letter or digit',
  [MAX_BAD_ROWS]: 'must be a count (100) or a share (5%)',
  [DELIMITER]: 'must be one character of ASCII',
  [IDENTIFIER]: 'must be letters, digits and "_", and not begin with a digit',
  '^/[^\\u0000]*$': 'must be an absolute path',
}
