import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CALENDAR_FIELDS } from '../../src/model/schedule/calendar-fields.ts'
import { ScheduleSchema } from '../../src/model/schedule/schedule-schema.ts'
import { OVERLAPS } from '../../src/model/workflow.ts'
import { scheduleOf } from './read.ts'

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/schedules.md'), 'utf8')

type Example = { readonly line: number; readonly spec: { time_zone?: string }; readonly shown: readonly string[] }

/** Each list of slots with the schedule above it. */
const examples = (): readonly Example[] => {
  const found: Example[] = []
  let spec: Example['spec'] = {}
  for (const { 1: language, 2: text = '', index } of PAGE.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
    if (language === 'json') spec = JSON.parse(text)
    else found.push({ line: PAGE.slice(0, index).split('\n').length, spec, shown: text.trimEnd().split('\n') })
  }
  return found
}

const listSlots = ({ spec, shown }: Example): readonly string[] => {
  const schedule = scheduleOf(spec)
  const zone = spec.time_zone ?? 'UTC'
  let slot: number | null = Date.parse(shown[0]!.replace('after ', ''))
  const lines = [shown[0]!]
  while (lines.length < shown.length) {
    slot = schedule.nextSlot(slot!)
    const instant = Temporal.Instant.fromEpochMilliseconds(slot!)
    const local = instant.toZonedDateTimeISO(zone).toPlainTime().toString({ smallestUnit: 'minute' })
    lines.push(`${instant}  ${local} in ${zone}`)
  }
  return lines
}

describe('docs/schedules.md', () => {
  test('has examples', () => {
    expect(examples().length).toBeGreaterThan(8)
  })

  test.each(examples())('has right slots at line $line for the schedule above them', example => {
    expect(listSlots(example)).toEqual(example.shown)
  })

  test.each([...Object.keys(ScheduleSchema.properties), ...Object.keys(CALENDAR_FIELDS), ...OVERLAPS])(
    'describes %s in a table',
    name => {
      expect(PAGE).toMatch(new RegExp(`^\\| .*\`${name}\``, 'm'))
    },
  )
})
