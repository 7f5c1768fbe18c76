import type { CliContext } from '../context.ts'
import { readText } from '../local-file.ts'
import { ADDED } from './definition.ts'
import { type EnvironmentFault, type Expanded, expandEnvironment } from './expand-environment.ts'
import type { FileFault } from './fault.ts'
import { findFiles } from './find-files.ts'
import { markDefinition } from './mark.ts'
import { type FileDocument, type ReadDocuments, readDocuments } from './read-documents.ts'

/** A workflow from a file, ready to send. */
export type LoadedFile = FileDocument & {
  readonly name: string
  /** Its name as in the file: values from the environment are not shown. */
  readonly shownName: string
  /** Replaces values from the environment in a text by `${NAME}`. */
  readonly hide: (text: string) => string
  /** Paths of values from the environment. */
  readonly filled: ReadonlySet<string>
}

/** The workflows without faults, and the faults of the others. */
export type LoadedFiles = { readonly workflows: readonly LoadedFile[]; readonly faults: readonly FileFault[] }

/**
 * Reads all files at or below `places` and reports every fault that can be found without the server: unreadable files, unset variables, an invalid `${`, fields
 * that only the server sets, duplicate names. Workflows with a fault are left out.
 */
export const loadFiles = async (input: {
  readonly places: readonly string[]
  readonly set: string
  readonly context: CliContext
}): Promise<LoadedFiles> => {
  const { context } = input
  const files = await findFiles(input.places, context.directory)
  const read: ReadDocuments[] = []
  for (const file of files) read.push(readDocuments(file, await readText(file, context)))
  const documents = read.flatMap(one => one.documents)
  const faults = read.flatMap(one => one.faults)
  const expanded = documents.map(document => ({
    document,
    ...expandEnvironment(document.definition, context.environment),
  }))
  const filled = expanded.map(one => fill(one, input.set))
  const workflows = filled.flatMap(one => ('name' in one ? [one] : []))
  const wrong = filled.flatMap(one => ('name' in one ? [] : one.faults))
  return { workflows, faults: [...faults, ...wrong, ...nameFaults(expanded)] }
}

type ExpandedDocument = Expanded & { readonly document: FileDocument }

const fill = (
  { document, value, filled, values, faults }: ExpandedDocument,
  set: string,
): LoadedFile | { readonly faults: readonly FileFault[] } => {
  const faultAt = (field: string, message: string): FileFault => {
    return { file: document.file, line: document.lineOf(field), field, message }
  }
  const all = [
    ...faults.map(fault => faultAt(fault.path, environmentFault(fault))),
    ...Object.keys(document.definition)
      .filter(field => ADDED.has(field))
      .map(field => faultAt(field, 'is set only by the server: leave it out')),
  ]
  if (all.length > 0) return { faults: all }
  const definition = markDefinition(value as Readonly<Record<string, unknown>>, set)
  const names = { name: String(definition.name), shownName: String(document.definition.name) }
  return { ...document, ...names, definition, filled, hide: text => hideValues(text, values) }
}

const environmentFault = ({ name }: EnvironmentFault): string =>
  name === null
    ? `has a \${ that begins no \${NAME}; for the text itself write $\${`
    : `the variable ${name} is not set; for the text itself write $\${${name}}`

/** Shorter values are not secrets, and may occur in any text. */
const SHORTEST_HIDDEN = 4

const hideValues = (text: string, values: ReadonlyMap<string, string>): string =>
  [...values]
    .filter(([value]) => value.length >= SHORTEST_HIDDEN)
    .toSorted(([a], [b]) => b.length - a.length)
    .reduce((hidden, [value, name]) => hidden.replaceAll(value, () => `\${${name}}`), text)

/** With duplicate names, the last would win. The server reports a missing name. */
const nameFaults = (documents: readonly ExpandedDocument[]): readonly FileFault[] => {
  const first = new Map<unknown, FileDocument>()
  return documents.flatMap(({ document, value }) => {
    const { name } = value as FileDocument['definition']
    const earlier = first.get(name)
    if (!earlier) first.set(name, document)
    if (!earlier || typeof name !== 'string') return []
    const message = `${JSON.stringify(document.definition.name)} is also in ${earlier.file}:${earlier.lineOf('name')}`
    return [{ file: document.file, line: document.lineOf('name'), field: 'name', message }]
  })
}
