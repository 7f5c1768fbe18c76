import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { CliContext } from '../context.ts'
import { ADDED } from './definition.ts'
import { expandEnvironment } from './expand-environment.ts'
import type { FileFault } from './fault.ts'
import { findFiles } from './find-files.ts'
import { markDefinition } from './mark.ts'
import { type FileDocument, readDocuments } from './read-documents.ts'

/** A workflow out of a file, as it is to be sent. */
export type LoadedFile = FileDocument & {
  readonly name: string
  /** Paths of values that came from the environment. */
  readonly filled: ReadonlySet<string>
}

export type LoadedFiles = { readonly workflows: readonly LoadedFile[]; readonly faults: readonly FileFault[] }

/**
 * Reads all files at or below `places` and tells every fault that can be known without the server: unreadable files,
 * variables that are not set, fields that only the server sets, names that stand twice. Workflows with a fault are left out.
 */
export const loadFiles = async (input: {
  readonly places: readonly string[]
  readonly set: string
  readonly context: CliContext
}): Promise<LoadedFiles> => {
  const { context } = input
  const files = await findFiles(input.places, context.directory)
  const read = await Promise.all(
    files.map(async file => readDocuments(file, await readFile(resolve(context.directory, file), 'utf8'))),
  )
  const documents = read.flatMap(one => one.documents)
  const faults = read.flatMap(one => one.faults)
  const filled = documents.map(document => fill(document, input.set, context.environment))
  const workflows = filled.flatMap(one => ('name' in one ? [one] : []))
  const wrong = filled.flatMap(one => ('name' in one ? [] : one.faults))
  return { workflows, faults: [...faults, ...wrong, ...nameFaults(documents)] }
}

const fill = (
  document: FileDocument,
  set: string,
  environment: CliContext['environment'],
): LoadedFile | { readonly faults: readonly FileFault[] } => {
  const { value, filled, missing } = expandEnvironment(document.definition, environment)
  const faultAt = (field: string, message: string): FileFault => {
    return { file: document.file, line: document.lineOf(field), field, message }
  }
  const faults = [
    ...missing.map(({ path, name }) =>
      faultAt(path, `the variable ${name} is not set; for the text itself write $\${${name}}`),
    ),
    ...Object.keys(document.definition)
      .filter(field => ADDED.has(field))
      .map(field => faultAt(field, 'is told by the server and set by no file: leave it out')),
  ]
  if (faults.length > 0) return { faults }
  const definition = markDefinition(value as Readonly<Record<string, unknown>>, set)
  return { ...document, definition, filled, name: String(definition.name) }
}

/** Of two with one name the last would win. That there is a name at all, the server says with all else. */
const nameFaults = (documents: readonly FileDocument[]): readonly FileFault[] => {
  const first = new Map<unknown, FileDocument>()
  return documents.flatMap(document => {
    const { name } = document.definition
    const earlier = first.get(name)
    if (!earlier) first.set(name, document)
    if (!earlier || typeof name !== 'string') return []
    const message = `${JSON.stringify(name)} is also in ${earlier.file}:${earlier.lineOf('name')}`
    return [{ file: document.file, line: document.lineOf('name'), field: 'name', message }]
  })
}
