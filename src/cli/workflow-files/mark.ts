/**
 * The label by which `workflows apply` knows its own: the name of the set of files that a workflow came from. `--prune`
 * looks at workflows of its set alone, so that those made by hand, or from the files of others, are never in its way.
 */
const SET_LABEL = 'millrace.set'

/** The definition as it is sent: with the label, without the `$schema` that is for editors. */
export const markDefinition = (
  definition: Readonly<Record<string, unknown>>,
  set: string,
): Readonly<Record<string, unknown>> => {
  const { $schema: _, labels = {}, ...sent } = definition
  // Labels of a wrong form go as they are: the server says what is wrong with them.
  return { ...sent, labels: isMap(labels) ? { ...labels, [SET_LABEL]: set } : labels }
}

/** Whether a workflow came from the files of this set. */
export const isOfSet = ({ labels }: { readonly labels?: unknown }, set: string): boolean =>
  isMap(labels) && labels[SET_LABEL] === set

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
