/** Parsers of human-readable durations and sizes. Invalid text throws an Error whose message describes a valid value. */

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  millisecond: 1,
  milliseconds: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
  weeks: 604_800_000,
  y: 31_557_600_000,
  year: 31_557_600_000,
  years: 31_557_600_000,
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
  TIB: 1024 ** 4,
}

const DURATION_FORM = 'a duration such as "30s", "5m", "1h30m" or "2 days"'
const SIZE_FORM = 'a size such as "256MiB", "1GB" or a number of bytes'

/** Milliseconds of `"1h30m"`, `"2 days"`, `"500"` (a bare number is milliseconds, as in Intuned's documentation). */
export const parseDuration = (text: string): number => {
  const trimmed = text.trim().toLowerCase()
  if (/^\d+(\.\d+)?$/.test(trimmed)) return withinReach(Number(trimmed))
  if (!/^(\d+(\.\d+)?\s*[a-z]+\s*)+$/.test(trimmed)) throw new Error(DURATION_FORM)
  let total = 0
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)) {
    const factor = DURATION_UNITS[unit!]
    if (factor === undefined) throw new Error(DURATION_FORM)
    total += Number(amount) * factor
  }
  return withinReach(total)
}

const withinReach = (ms: number): number => {
  if (!Number.isSafeInteger(Math.round(ms))) throw new Error(DURATION_FORM)
  return ms
}

/** Bytes of `"256MiB"`, `"1 GB"`, `"1048576"`. */
export const parseSize = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const factor = match ? SIZE_UNITS[match[2]!.toUpperCase()] : undefined
  if (!match || factor === undefined) throw new Error(SIZE_FORM)
  const bytes = Math.round(Number(match[1]) * factor)
  if (!Number.isSafeInteger(bytes)) throw new Error(SIZE_FORM)
  return bytes
}
