import type { KindDefinition } from '../executors/kind-definition.ts'
import { joinPath } from '../model/schema-errors.ts'
import type { BodyFault } from './invalid-fields.ts'

/** Finds faults in the `apis_to_send` names of the sinks of a job body or workflow at `path`. */
export type CheckSinkNames = (body: unknown, path: string) => readonly BodyFault[]

/**
 * A name that matches no function would silently never send anything. Names are checked on write only: a function removed later must not stop the other
 * functions of a run.
 */
export const createSinkNamesCheck = (definitions: readonly KindDefinition[]): CheckSinkNames => {
  const api = definitions.find(({ kind }) => kind === 'api')

  const faultOf = (name: unknown): Omit<BodyFault, 'path'> | null => {
    if (typeof name !== 'string') return null
    if (api === undefined) return { message: 'names a function, and this server runs none', unavailable: true }
    const message = api.nameFault?.(name) ?? null
    return message === null ? null : { message }
  }

  return (body, path) =>
    listOf(Object(body).sinks).flatMap((sink, index) =>
      listOf(Object(sink).apis_to_send).flatMap((name, at) => {
        const fault = faultOf(name)
        return fault === null ? [] : [{ ...fault, path: joinPath(path, `sinks.${index}.apis_to_send.${at}`) }]
      }),
    )
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
