import type { CliContext } from './context.ts'
import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'
import { placeText, readText } from './local-file.ts'
import { faultText } from './workflow-files/fault.ts'

/** A body of the API from a file, not validated. */
export type Definition = Readonly<Record<string, unknown>>

/** The objects in a JSON or YAML file, one per document; `-` is standard input. Throws `CliFailure` if it contains anything else. */
export const readDefinitions = async (file: string, context: CliContext): Promise<readonly Definition[]> => {
  const { readDocuments } = await import('./workflow-files/read-documents.ts')
  const { documents, faults } = readDocuments(placeText(file), await readText(file, context))
  const words = documents.length === 0 && faults.length === 0 ? [`${placeText(file)}: is empty`] : faults.map(faultText)
  if (words.length > 0) throw new CliFailure(words.join('\n'), { exitCode: EXIT.usage })
  return documents.map(({ definition }) => definition)
}
