import type { Catalogue } from './catalogue.ts'
import type { NodeRole } from './pipe.ts'
import type { ScheduleSpec } from './schedule/schedule-schema.ts'

/** A copy node with a schedule. */
export type ScheduledCopy = {
  readonly pipe: string
  readonly node: string
  /** The node's index in its pipe. */
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

/** The prefix of these workflows' names. */
export const COPY_WORKFLOW_PREFIX = 'copy '
const LONGEST_NAME = 255

/** Neither name contains a dot, so the result is unique. */
export const copyWorkflowName = ({ pipe, node }: Pick<ScheduledCopy, 'pipe' | 'node'>): string =>
  `${COPY_WORKFLOW_PREFIX}${pipe}.${node}`

/** What is wrong with the names of a scheduled copy; null: nothing. */
export const copyNameFault = (copy: Pick<ScheduledCopy, 'pipe' | 'node'>): string | null => {
  const excess = copyWorkflowName(copy).length - LONGEST_NAME
  return excess > 0 ? `must, with a schedule, be ${excess} characters shorter, or the name of the pipe` : null
}

/** Workflows with these labels are maintained by the server. The values identify the node. */
const PIPE_LABEL = 'millrace.pipe'
const NODE_LABEL = 'millrace.node'

type Labelled = { readonly labels?: Readonly<Record<string, unknown>> }

/** Whether a workflow was created for a copy node, even if the node no longer exists. */
export const isCopyWorkflow = ({ labels }: Labelled): boolean =>
  labels !== undefined && PIPE_LABEL in labels && NODE_LABEL in labels

/** The name of such a workflow after its node has lost its schedule, until it can be deleted. */
export const retiredName = (workflowId: string): string => `${COPY_WORKFLOW_PREFIX}${workflowId} (deleted)`

type Known = Labelled & { readonly name: string }

/** Adds the identifying labels to a new definition of such a workflow: leaving them out must not detach it from its node. */
export const withCopyLabels = (given: unknown, { labels = {} }: Labelled): unknown => {
  if (typeof given !== 'object' || given === null) return given
  const others = 'labels' in given ? given.labels : {}
  // Anything but an object is refused later.
  if (typeof others !== 'object' || others === null || Array.isArray(others)) return given
  return { ...given, labels: { ...others, [PIPE_LABEL]: labels[PIPE_LABEL], [NODE_LABEL]: labels[NODE_LABEL] } }
}

/** Why such a workflow may not have this name; null: it may. Under another name it would run in addition to the recreated one. */
export const renameFault = (name: unknown, known: Known, workflowId: string): string | null =>
  name === known.name || name === retiredName(workflowId)
    ? null
    : `must stay ${known.name}: the workflow is made of the node ${known.labels?.[NODE_LABEL]} of the pipe ${known.labels?.[PIPE_LABEL]}`

/** A workflow that runs a node as one copy job. */
export const copyWorkflow = ({ pipe, node, mode, schedule }: ScheduledCopy) => ({
  name: copyWorkflowName({ pipe, node }),
  description: `Made of the schedule of the node ${node} of the pipe ${pipe}: change it there.`,
  labels: { [PIPE_LABEL]: pipe, [NODE_LABEL]: node },
  payload: [{ copy: { pipe, node, mode } }],
  schedule,
})
