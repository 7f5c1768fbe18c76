import { isPlainObject } from '../../kernel/plain-object.ts'

/**
 * The label with the name of the set of files that a workflow was applied from. `--prune` affects only workflows of its own set, never those created by hand or
 * applied from other files.
 */
const SET_LABEL = 'millrace.set'

/** The definition to send: with the label, and without `$schema`, which is for editors. */
export const markDefinition = (
  definition: Readonly<Record<string, unknown>>,
  set: string,
): Readonly<Record<string, unknown>> => {
  const { $schema: _, labels = {}, ...sent } = definition
  // Malformed labels are sent unchanged: the server reports what is wrong.
  return { ...sent, labels: isPlainObject(labels) ? { ...labels, [SET_LABEL]: set } : labels }
}

/** Whether a workflow was applied from this set of files. */
export const isOfSet = ({ labels }: { readonly labels?: unknown }, set: string): boolean =>
  isPlainObject(labels) && labels[SET_LABEL] === set
