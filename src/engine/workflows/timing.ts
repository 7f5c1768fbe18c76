import { MillraceError } from '../../kernel/errors.ts'
import { readSchedule, type Schedule } from '../../model/schedule/schedule.ts'
import { joinPath } from '../../model/schema-errors.ts'
import type { WorkflowDefinition } from '../../model/workflow-definition.ts'
import type { Timing } from '../../store/workflow-store.ts'
import { invalidFields } from '../invalid-fields.ts'

type ScheduleSpec = NonNullable<WorkflowDefinition['schedule']>

/**
 * When a workflow was created, for intervals that count from there: the time in its id (RFC 9562, 5.7). Unlike the stored
 * time it is known before the workflow is stored, and it must be one and the same for ever: slots that move by a
 * millisecond would fire twice.
 */
const createdAtOf = (workflowId: string): number =>
  Number.parseInt(workflowId.slice(0, 8) + workflowId.slice(9, 13), 16)

/** The schedule of a workflow. Throws `invalid` with paths below `schedule`, `schedule_never_fires`. */
export const scheduleOf = (workflowId: string, spec: ScheduleSpec): Schedule =>
  toSchedule(spec, { createdAt: createdAtOf(workflowId) })

/** A schedule that belongs to no workflow yet. */
export const toSchedule = (spec: ScheduleSpec, { createdAt }: { createdAt: number }): Schedule => {
  const schedule = readSchedule(spec, { createdAt })
  if (!('errors' in schedule)) return schedule
  const { errors } = schedule
  const own = errors.filter(error => !error.neverFires)
  if (own.length === 0)
    throw neverFires(errors.map(({ path, message }) => `${joinPath('schedule', path)} ${message}`).join('; '))
  throw invalidFields(own.map(({ path, message }) => ({ path: joinPath('schedule', path), message })))
}

export const neverFires = (detail: string): MillraceError => new MillraceError('schedule_never_fires', detail)

/** Where a schedule stands once everything up to `cursor` has been dealt with. */
export const timingAt = (schedule: Schedule | null, workflowId: string, cursor: number): Timing => {
  const slot = schedule?.nextSlot(cursor) ?? null
  return { cursor, next: slot === null ? null : { slot, fireAt: schedule!.fireAt(workflowId, slot) } }
}
