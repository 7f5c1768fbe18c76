import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { CliContext } from '../context.ts'
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
 * variables that are not set, names that stand twice. Workflows with a fault are left out.
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
  if (missing.length > 0)
    return {
      faults: missing.map(({ path, name }) => ({
        file: document.file,
        line: document.lineOf(path),
        field: path,
        message: `the variable ${name} is not set; for the text itself write $\${${name}}`,
      })),
    }
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
