import { ScheduleSchema } from '../../model/schedule/schedule-schema.ts'
import { workflowSchema } from '../../model/workflow-definition.ts'
import { strictObject } from './basics.ts'
import { ItemBody } from './job-body.ts'
import { previewFields } from './workflow.ts'

/** A workflow, for the reference and for editors. The engine validates definitions with the same properties. */
export const WorkflowBody = workflowSchema(ItemBody)

export const PreviewBody = strictObject({ schedule: ScheduleSchema, ...previewFields })
