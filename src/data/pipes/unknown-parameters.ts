import type { FieldError } from '../../kernel/errors.ts'
import type { Catalogue } from '../../model/catalogue.ts'
import { readsOf } from '../../model/catalogue-graph.ts'
import type { Pipe, PipeNode } from '../../model/pipe.ts'
import { parameterFaults } from '../../warehouse/guard/parameter-fault.ts'
import { findQueryParameters } from '../../warehouse/guard/query-parameters.ts'

type Parameters = Readonly<Record<string, unknown>>

/** Parameters that neither a node nor anything it reads takes. */
export const unknownOfNode = (
  catalogue: Catalogue,
  { pipe, node }: { readonly pipe: Pipe; readonly node: PipeNode },
  parameters: Parameters,
): readonly string[] => {
  const taken = namesIn([...readsOf(catalogue, pipe, node).nodes].map(({ sql }) => sql))
  return Object.keys(parameters).filter(name => !taken.has(name))
}

/**
 * The same for an unparsed query. The engine is not asked which pipes it reads: a pipe counts if its name occurs anywhere in the query, or in a parameter,
 * which may stand for a name. `readCatalogue` is called only if the query itself does not take all parameters.
 */
const unknownOfQuery = async (
  readCatalogue: () => Promise<Catalogue>,
  sql: string,
  parameters: Parameters,
): Promise<readonly string[]> => {
  const own = namesIn([sql])
  const others = Object.keys(parameters).filter(name => !own.has(name))
  if (others.length === 0) return []
  const catalogue = await readCatalogue()
  const texts = [sql, ...Object.values(parameters).filter(value => typeof value === 'string')]
  const named = catalogue.pipes.filter(({ name }) => texts.some(text => text.includes(name)))
  const nodes = named.flatMap(pipe => [...readsOf(catalogue, pipe, pipe.nodes.at(-1)!).nodes])
  const ofPipes = namesIn(nodes.map(node => node.sql))
  return others.filter(name => !ofPipes.has(name))
}

/** Faults in the parameters of a query, by path: those that nothing takes, and values that do not fit the types in its own SQL. */
export const wrongParameters = async (
  readCatalogue: () => Promise<Catalogue>,
  sql: string,
  parameters: Parameters,
): Promise<readonly FieldError[]> => {
  const unknown = await unknownOfQuery(readCatalogue, sql, parameters)
  return [
    ...unknown.map(name => ({ path: `parameters.${name}`, message: UNKNOWN_PARAMETER })),
    ...parameterFaults(sql, parameters).map(({ name, message }) => ({ path: `parameters.${name}`, message })),
  ]
}

const namesIn = (texts: readonly string[]): ReadonlySet<string> =>
  new Set(texts.flatMap(findQueryParameters).map(({ name }) => name))

/** The message for each of them. */
export const UNKNOWN_PARAMETER =
  'is not a parameter of the SQL: neither it nor the pipes it reads contain {name:Type} with that name'
