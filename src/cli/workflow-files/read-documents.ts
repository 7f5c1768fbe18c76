import { extname } from 'node:path'
import { type Document, isNode, isScalar, LineCounter, parseAllDocuments } from 'yaml'
import { isPlainObject } from '../../kernel/plain-object.ts'
import type { FileFault } from './fault.ts'
import { yamlFaults } from './yaml-faults.ts'

/** A definition in a file: of a workflow, a pipe or a data source. */
export type FileDocument = {
  readonly file: string
  /** The line where it starts, from 1. */
  readonly line: number
  readonly definition: Readonly<Record<string, unknown>>
  /** The line of a field by its dotted path; if the field does not exist, of the nearest enclosing one. */
  lineOf(field: string): number
}

/** The definitions of a file without faults, and the faults of the others. */
export type ReadDocuments = { readonly documents: readonly FileDocument[]; readonly faults: readonly FileFault[] }

/** A file with 10,000 items is far smaller; a larger one is not a workflow file. */
const LARGEST_CHARACTERS = 32 * 1024 * 1024

/** The definitions in one file: one in a JSON file, and one per non-empty document in a YAML file. */
export const readDocuments = (file: string, text: string): ReadDocuments => {
  if (text.length > LARGEST_CHARACTERS) return failed({ file, line: null, field: '', message: 'is larger than 32 MiB' })
  return extname(file) === '.json' ? readJson(file, text) : readYaml(file, text)
}

const failed = (fault: FileFault): ReadDocuments => ({ documents: [], faults: [fault] })

const readJson = (file: string, text: string): ReadDocuments => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return failed({ file, line: null, field: '', message: `is not JSON: ${(error as Error).message}` })
  }
  // JSON is close enough to YAML to find its lines.
  const lines = new LineCounter()
  const [source] = parse(text, lines)
  return source === undefined ? { documents: [], faults: [] } : toDocument({ file, source, lines, read: () => value })
}

const readYaml = (file: string, text: string): ReadDocuments => {
  const lines = new LineCounter()
  const all = parse(text, lines)
    .filter(source => source.errors.length > 0 || !isEmpty(source))
    .map(source => toDocument({ file, source, lines, read: () => source.toJS() }))
  return { documents: all.flatMap(one => one.documents), faults: all.flatMap(one => one.faults) }
}

const isEmpty = ({ contents }: Document.Parsed): boolean =>
  contents === null || (isScalar(contents) && contents.value === null)

const parse = (text: string, lineCounter: LineCounter): readonly Document.Parsed[] => {
  const parsed = parseAllDocuments(text, { lineCounter, merge: true, prettyErrors: false })
  return 'empty' in parsed ? [] : parsed
}

type Source = {
  readonly file: string
  readonly source: Document.Parsed
  readonly lines: LineCounter
  readonly read: () => unknown
}

const toDocument = ({ file, source, lines, read }: Source): ReadDocuments => {
  const isYaml = extname(file) !== '.json'
  const line = lineAt(lines, source.contents?.range?.[0] ?? source.range[0])
  const errors = source.errors.filter(error => isYaml || error.code === 'DUPLICATE_KEY')
  if (errors.length > 0)
    return {
      documents: [],
      faults: errors.map(error => ({
        file,
        line: lineAt(lines, error.pos[0]),
        field: '',
        message: isYaml ? `is not YAML: ${error.message}` : 'has one name twice in one object',
      })),
    }
  const faults = yamlFaults(source)
  if (faults.length > 0)
    return {
      documents: [],
      faults: faults.map(({ offset, field, message }) => ({ file, line: lineAt(lines, offset), field, message })),
    }
  try {
    const definition = read()
    if (!isPlainObject(definition))
      return failed({ file, line, field: '', message: 'must be an object: names with values' })
    return {
      documents: [{ file, line, definition, lineOf: field => lineOf(source, lines, field) ?? line }],
      faults: [],
    }
  } catch (error) {
    // More aliases than a person would write.
    return failed({ file, line, field: '', message: `is not YAML: ${(error as Error).message}` })
  }
}

/** Names may contain dots: take the longest path that exists. A wrong guess gives a line that is slightly too early. */
const lineOf = (source: Document.Parsed, lines: LineCounter, field: string): number | null => {
  const parts = field === '' ? [] : field.split('.')
  for (let length = parts.length; length > 0; length--) {
    const node = source.getIn(parts.slice(0, length).map(keyOf), true)
    if (isNode(node) && node.range) return lineAt(lines, node.range[0])
  }
  return null
}

const keyOf = (part: string): string | number => (/^\d+$/.test(part) ? Number(part) : part)

const lineAt = (lines: LineCounter, offset: number): number => Math.max(1, lines.linePos(offset).line)
