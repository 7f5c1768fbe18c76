const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

const SIZE_UNITS = [
  ['TiB', 1024 ** 4],
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
] as const

/** Milliseconds in the exact notation of a setting: `30d`, `1h30m`. */
export const durationSetting = (ms: number): string => {
  let rest = Math.round(ms)
  const parts: string[] = []
  for (const [unit, length] of DURATION_UNITS) {
    if (rest >= length) parts.push(`${Math.floor(rest / length)}${unit}`)
    rest %= length
  }
  return parts.join('') || '0'
}

/** Bytes in the exact notation of a setting: `16MiB`, or a plain number if no unit divides it. */
export const sizeSetting = (bytes: number): string => {
  const unit = SIZE_UNITS.find(([, size]) => bytes >= size && bytes % size === 0)
  return unit === undefined ? String(bytes) : `${bytes / unit[1]}${unit[0]}`
}
