import { MillraceError } from '../../kernel/errors.ts'
import type { ScheduleFault } from '../../model/schedule/fault.ts'
import { readSchedule, type Schedule } from '../../model/schedule/schedule.ts'
import { joinPath } from '../../model/schema-errors.ts'
import type { WorkflowDefinition } from '../../model/workflow-definition.ts'
import type { Timing } from '../../store/workflow-store.ts'
import { type BodyFault, invalidFields } from '../invalid-fields.ts'

type ScheduleSpec = NonNullable<WorkflowDefinition['schedule']>

/**
 * When a workflow was created, the origin of intervals: the timestamp in its id (RFC 9562, 5.7). Unlike the stored time, it is known before the workflow is
 * stored. It must never change: slots that move by a millisecond would fire twice.
 */
const createdAtOf = (workflowId: string): number =>
  Number.parseInt(workflowId.slice(0, 8) + workflowId.slice(9, 13), 16)

/** The schedule of a workflow. Throws `invalid` with paths below `schedule`, or `schedule_never_fires`. */
export const scheduleOf = (workflowId: string, spec: ScheduleSpec): Schedule =>
  toSchedule(spec, { createdAt: createdAtOf(workflowId) })

/** A schedule that belongs to no workflow yet. */
export const toSchedule = (spec: ScheduleSpec, { createdAt }: { createdAt: number }): Schedule => {
  const schedule = readSchedule(spec, { createdAt })
  if ('errors' in schedule) throw scheduleRefusal(placed(schedule.errors))
  return schedule
}

/** Faults of a workflow's schedule. */
export const scheduleFaults = (workflowId: string, spec: ScheduleSpec): readonly ScheduleFault[] => {
  const schedule = readSchedule(spec, { createdAt: createdAtOf(workflowId) })
  return 'errors' in schedule ? placed(schedule.errors) : []
}

const placed = (faults: readonly ScheduleFault[]): readonly ScheduleFault[] =>
  faults.map(fault => ({ ...fault, path: joinPath('schedule', fault.path) }))

export type DefinitionFault = BodyFault & ScheduleFault

/** The error for these faults (at least one): `schedule_never_fires` if nothing else is wrong, otherwise `invalid`. */
export const scheduleRefusal = (faults: readonly DefinitionFault[]): MillraceError => {
  if (faults.some(({ neverFires }) => !neverFires)) return invalidFields(faults)
  const fields = faults.map(({ path, message }) => ({ path, message }))
  const detail = fields.map(({ path, message }) => `${path}: ${message}`).join('; ')
  return new MillraceError('schedule_never_fires', detail, { errors: fields })
}

/** The state of a schedule once everything up to `cursor` has been handled. */
export const timingAt = (schedule: Schedule | null, workflowId: string, cursor: number): Timing => {
  const slot = schedule?.nextSlot(cursor) ?? null
  return { cursor, next: slot === null ? null : { slot, fireAt: schedule!.fireAt(workflowId, slot) } }
}
