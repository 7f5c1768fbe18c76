import type { Catalogue } from './catalogue.ts'
import type { NodeRole } from './pipe.ts'
import type { ScheduleSpec } from './schedule/schedule-schema.ts'

/** A copy node that a schedule fires. */
export type ScheduledCopy = {
  readonly pipe: string
  readonly node: string
  /** Of the node in its pipe. */
  readonly index: number
  readonly mode: 'append' | 'replace'
  readonly schedule: ScheduleSpec
}

type Nodes = readonly { readonly name: string; readonly role: NodeRole }[]

export const scheduledCopies = (pipe: { readonly name: string; readonly nodes: Nodes }): readonly ScheduledCopy[] =>
  pipe.nodes.flatMap(({ name, role }, index) =>
    role.type === 'copy' && role.schedule !== null
      ? [{ pipe: pipe.name, node: name, index, mode: role.mode, schedule: role.schedule }]
      : [],
  )

export const allScheduledCopies = ({ pipes }: Catalogue): readonly ScheduledCopy[] => pipes.flatMap(scheduledCopies)

/** How the names of these workflows begin. */
export const COPY_WORKFLOW_PREFIX = 'copy '
const LONGEST_NAME = 255

/** Neither name has a dot, so no two nodes share one. */
export const copyWorkflowName = ({ pipe, node }: Pick<ScheduledCopy, 'pipe' | 'node'>): string =>
  `${COPY_WORKFLOW_PREFIX}${pipe}.${node}`

/** What is wrong with the names of a scheduled copy; null: nothing. */
export const copyNameFault = (copy: Pick<ScheduledCopy, 'pipe' | 'node'>): string | null => {
  const excess = copyWorkflowName(copy).length - LONGEST_NAME
  return excess > 0 ? `must, with a schedule, be ${excess} characters shorter, or the name of the pipe` : null
}

/** Workflows that carry these labels are kept by the server: who has them is told by their values. */
const PIPE_LABEL = 'millrace.pipe'
const NODE_LABEL = 'millrace.node'

type Labelled = { readonly labels?: Readonly<Record<string, unknown>> }

/** Whether a workflow was made for a copy node, whether or not that is still there. */
export const isCopyWorkflow = ({ labels }: Labelled): boolean =>
  labels !== undefined && PIPE_LABEL in labels && NODE_LABEL in labels

/** What such a workflow is called once its node has no schedule, until it can be deleted. */
export const retiredName = (workflowId: string): string => `${COPY_WORKFLOW_PREFIX}${workflowId} (deleted)`

type Known = Labelled & { readonly name: string }

/** A definition that such a workflow is to have, with the labels it is known by: whoever leaves them out does not make it theirs. */
export const withCopyLabels = (given: unknown, { labels = {} }: Labelled): unknown => {
  if (typeof given !== 'object' || given === null) return given
  const others = 'labels' in given ? given.labels : {}
  // What is no object is refused later.
  if (typeof others !== 'object' || others === null || Array.isArray(others)) return given
  return { ...given, labels: { ...others, [PIPE_LABEL]: labels[PIPE_LABEL], [NODE_LABEL]: labels[NODE_LABEL] } }
}

/** Why such a workflow may not be called so; null: it may. Under another name it would go on beside the one that is made again. */
export const renameFault = (name: unknown, known: Known, workflowId: string): string | null =>
  name === known.name || name === retiredName(workflowId)
    ? null
    : `must stay ${known.name}: the workflow is made of the node ${known.labels?.[NODE_LABEL]} of the pipe ${known.labels?.[PIPE_LABEL]}`

/** The workflow of one copy job that fires a node. */
export const copyWorkflow = ({ pipe, node, mode, schedule }: ScheduledCopy) => ({
  name: copyWorkflowName({ pipe, node }),
  description: `Made of the schedule of the node ${node} of the pipe ${pipe}: change it there.`,
  labels: { [PIPE_LABEL]: pipe, [NODE_LABEL]: node },
  payload: [{ copy: { pipe, node, mode } }],
  schedule,
})
