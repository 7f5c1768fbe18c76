import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { once } from '../../kernel/once.ts'
import { isPlainObject } from '../../kernel/plain-object.ts'
import type { ScheduleFault } from '../../model/schedule/fault.ts'
import { type ScheduleParts, schedulePartFaults } from '../../model/schedule/schedule.ts'
import { ScheduleSchema } from '../../model/schedule/schedule-schema.ts'

/** Longer lists are already refused for their length. */
const MOST_ENTRIES = 100

const validators = once(() =>
  Object.entries<TSchema & { readonly items?: TSchema }>(ScheduleSchema.properties).map(([field, schema]) =>
    schema.items === undefined
      ? { field, isList: false, validator: Compile(schema) }
      : { field, isList: true, validator: Compile(schema.items) },
  ),
)

/** The checks beyond the schema for a schedule whose schema check failed, limited to the fields and list entries that do match. */
export const faultsOfScheduleParts = (given: unknown): readonly ScheduleFault[] => {
  if (!isPlainObject(given)) return []
  const parts = validators().flatMap(({ field, isList, validator }) => {
    const value = given[field]
    const part = isList ? soundEntries(value, validator) : validator.Check(value) ? value : undefined
    return part === undefined ? [] : [[field, part] as const]
  })
  // The start of intervals cannot be at fault, so any `createdAt` will do.
  return schedulePartFaults(Object.fromEntries(parts) as ScheduleParts, { createdAt: 0 })
}

const soundEntries = (value: unknown, validator: Validator): readonly unknown[] | undefined =>
  Array.isArray(value) ? value.slice(0, MOST_ENTRIES).map(entry => (validator.Check(entry) ? entry : null)) : undefined
