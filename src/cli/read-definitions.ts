import { isPlainObject } from '../kernel/plain-object.ts'
import type { CliContext } from './context.ts'
import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'
import { placeText, readText } from './local-file.ts'

/** A body of the API from a file, not validated. */
export type Definition = Readonly<Record<string, unknown>>

/** The objects in a JSON or YAML file, one per document; `-` is standard input. Throws `CliFailure` if it contains anything else. */
export const readDefinitions = async (file: string, context: CliContext): Promise<readonly Definition[]> => {
  const wrong = (message: string): CliFailure =>
    new CliFailure(`${placeText(file)}: ${message}`, { exitCode: EXIT.usage })
  const [{ parseAllDocuments }, { yamlFaults }] = await Promise.all([import('yaml'), import('./yaml-faults.ts')])
  // JSON is almost a subset of YAML.
  const documents = parseAllDocuments(await readText(file, context))
  const definitions = 'empty' in documents ? [] : documents
  if (definitions.length === 0) throw wrong('is empty')
  return definitions.map(document => {
    const [error] = document.errors
    if (error !== undefined) throw wrong(error.message)
    const [fault] = yamlFaults(document)
    if (fault !== undefined) throw wrong(fault.field === '' ? fault.message : `${fault.field}: ${fault.message}`)
    const value: unknown = document.toJS()
    if (!isPlainObject(value)) throw wrong('must be an object: names with values')
    return value
  })
}
