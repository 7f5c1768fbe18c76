import { readAll } from '../client/pages.ts'
import { call } from '../client/request.ts'
import type { ServerAddress } from '../client/server-address.ts'
import { getWorkflow, type WorkflowAnswer } from '../client/workflows.ts'
import { CliFailure } from '../failure.ts'
import { compare, type FieldChange } from './compare.ts'
import { definitionOf } from './definition.ts'
import type { FileFault } from './fault.ts'
import type { LoadedFile } from './load-files.ts'
import { isOfSet } from './mark.ts'

/** The plan for one workflow; `name` is safe to show. `prune`: it was applied from these files, but none of them contains it any more. */
export type PlanStep =
  | { readonly action: 'create' | 'keep'; readonly name: string; readonly file: LoadedFile }
  | {
      readonly action: 'change'
      readonly name: string
      readonly file: LoadedFile
      /** Empty: only secret values changed. */
      readonly changes: readonly FieldChange[]
    }
  | { readonly action: 'prune'; readonly name: string; readonly workflow: WorkflowAnswer }

/** How many checks run at once: the server parses each definition completely, and must not be overloaded. */
const AT_ONCE = 8

/** Asks the server to check every workflow without saving it, and returns the steps to take, or the faults. */
export const makePlan = async (input: {
  readonly server: ServerAddress
  readonly files: readonly LoadedFile[]
  readonly set: string
  readonly prune: boolean
}): Promise<{ readonly steps: readonly PlanStep[]; readonly faults: readonly FileFault[] }> => {
  const { server, files } = input
  const checked: (PlanStep | readonly FileFault[])[] = []
  for (let at = 0; at < files.length; at += AT_ONCE)
    checked.push(...(await Promise.all(files.slice(at, at + AT_ONCE).map(file => planFile(server, file)))))
  const steps = checked.flatMap(one => ('action' in one ? [one] : []))
  const faults = checked.flatMap(one => ('action' in one ? [] : one))
  return { steps: [...steps, ...(input.prune ? await planPrune(input) : [])], faults }
}

const planFile = async (server: ServerAddress, file: LoadedFile): Promise<PlanStep | readonly FileFault[]> => {
  const name = file.shownName
  try {
    const { outcome } = await call<{ outcome: 'new' | 'changed' | 'unchanged' }>(server, {
      method: 'POST',
      path: '/v1/workflows/check',
      json: file.definition,
    })
    if (outcome === 'new') return { action: 'create', name, file }
    if (outcome === 'unchanged') return { action: 'keep', name, file }
    const before = definitionOf(await getWorkflow(server, file.name))
    const changes = compare({ before, after: file.definition, filled: file.filled })
    return { action: 'change', name, file, changes }
  } catch (error) {
    if (!(error instanceof CliFailure && isAboutDefinition(error))) throw error
    return faultsOf(file, error)
  }
}

/** These statuses are faults of the definition. Others concern the server or the token, and so all definitions. */
const isAboutDefinition = ({ status }: CliFailure): boolean => status === 400 || status === 413 || status === 422

const faultsOf = (file: LoadedFile, error: CliFailure): readonly FileFault[] => {
  const fields = error.fields.length > 0 ? error.fields : [{ path: '', message: error.message }]
  return fields.map(({ path, message }) => ({
    file: file.file,
    line: file.lineOf(path),
    field: path,
    message: file.hide(message),
  }))
}

const planPrune = async (input: {
  readonly server: ServerAddress
  readonly files: readonly LoadedFile[]
  readonly set: string
}): Promise<readonly PlanStep[]> => {
  const inFiles = new Set(input.files.map(file => file.name))
  const all = await readAll<WorkflowAnswer>(input.server, 'workflows', { path: '/v1/workflows' })
  return all
    .filter(workflow => isOfSet(workflow, input.set) && !inFiles.has(workflow.name))
    .map(workflow => ({ action: 'prune', name: workflow.name, workflow }))
}
