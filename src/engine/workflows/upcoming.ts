import { Compile } from 'typebox/compile'
import { once } from '../../kernel/once.ts'
import type { Schedule } from '../../model/schedule/schedule.ts'
import { ScheduleSchema } from '../../model/schedule/schedule-schema.ts'
import { boundedErrors, toFieldErrors } from '../../model/schema-errors.ts'
import type { WorkflowDefinition } from '../../model/workflow-definition.ts'
import type { Store } from '../../store/store.ts'
import { invalidFields } from '../invalid-fields.ts'
import { noSuchWorkflow } from '../not-found.ts'
import type { Workflows } from '../workflows.ts'
import { scheduleOf, toSchedule } from './timing.ts'

const validator = once(() => Compile(ScheduleSchema))

/** Future slots of a workflow, and of a schedule not saved yet. */
export const createUpcoming = ({ store }: { readonly store: Store }): Pick<Workflows, 'upcoming' | 'preview'> => ({
  upcoming: async ({ workspace, workflow, count }) => {
    const loaded = await store.loadWorkflow({ workspace, workflow })
    if (loaded === null) throw noSuchWorkflow(workflow)
    const { state } = loaded
    const { schedule: spec } = JSON.parse(loaded.definition) as WorkflowDefinition
    // Slots that pass while it is paused are recorded as skipped and never run.
    if (!spec || state !== 'active') return { state, slots: [] }
    const schedule = scheduleOf(loaded.id, spec)
    const now = await store.now()
    const { cursor, next } = loaded.timing
    // Overdue slots are in the past: they are being fired, or will be recorded as missed.
    const after = next !== null && next.fireAt >= now ? cursor : Math.max(now, cursor)
    const slots = slotsAfter(schedule, after, count)
    return { state, slots: slots.map(slot => ({ slot, fireAt: schedule.fireAt(loaded.id, slot) })) }
  },

  preview: ({ schedule, after, count }) => {
    if (!validator().Check(schedule))
      throw invalidFields(toFieldErrors(boundedErrors(validator(), schedule), 'schedule'))
    return slotsAfter(toSchedule(schedule, { createdAt: after }), after, count)
  },
})

const slotsAfter = (schedule: Schedule, after: number, count: number): readonly number[] => {
  const slots: number[] = []
  for (let slot = schedule.nextSlot(after); slot !== null && slots.length < count; slot = schedule.nextSlot(slot))
    slots.push(slot)
  return slots
}
