/**
 * Gregorian dates as whole numbers: a *day* counts from 1970-01-01, a *local second* from 1970-01-01T00:00 on the zone's clock. `Temporal` takes microseconds
 * for what takes nanoseconds here.
 */

export const SECONDS_A_DAY = 86_400

/** The first and last year that may have slots. This bounds every search. */
export const FIRST_YEAR = 1970
export const LAST_YEAR = 2199

/** Days from 1970-01-01 to a date; months and days count from 1. */
export const toDay = (year: number, month: number, day: number): number => {
  // Years start in March, so that the leap day comes last.
  const y = month <= 2 ? year - 1 : year
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468
}

export type CivilDate = { readonly year: number; readonly month: number; readonly day: number }

/** The reverse of `toDay`. */
export const toDate = (day: number): CivilDate => {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  }
}

/** Sunday is 0. 1970-01-01 was a Thursday. */
export const weekdayOf = (day: number): number => (((day + 4) % 7) + 7) % 7

export const daysInMonth = (year: number, month: number): number => {
  if (month === 2) return isLeap(year) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
