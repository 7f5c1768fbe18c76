import { FIRST_YEAR, LAST_YEAR } from './civil-date.ts'

/** The allowed numbers of a calendar field, and their names. */
export type CalendarField = {
  readonly min: number
  readonly max: number
  /** In order from `min`; each may be abbreviated to three letters. */
  readonly names?: readonly string[]
}

const MONTHS = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
]

const WEEKDAYS = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY']

export const CALENDAR_FIELDS = {
  year: { min: FIRST_YEAR, max: LAST_YEAR },
  month: { min: 1, max: 12, names: MONTHS },
  day_of_month: { min: 1, max: 31 },
  /** 7 also means Sunday: `readField` turns it into 0. */
  day_of_week: { min: 0, max: 7, names: WEEKDAYS },
  hour: { min: 0, max: 23 },
  minute: { min: 0, max: 59 },
  second: { min: 0, max: 59 },
} as const satisfies Record<string, CalendarField>

/** The number for a value of a field, or a message saying what would be right. */
export const readValue = (field: CalendarField, value: number | string): number | string => {
  const number = typeof value === 'number' ? value : numberOf(field, value.trim())
  return number >= field.min && number <= field.max ? number : rightValue(field)
}

const numberOf = (field: CalendarField, text: string): number => {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  const name = text.toUpperCase()
  const index = field.names?.findIndex(known => name === known || name === known.slice(0, 3)) ?? -1
  return index === -1 ? Number.NaN : field.min + index
}

const rightValue = ({ min, max, names }: CalendarField): string =>
  `must be from ${min} to ${max}${names ? `, a name such as ${names[1]}` : ''} or "*"`
