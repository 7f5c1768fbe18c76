const SIZE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** Bytes for people: `812 B`, `1.4 MiB`. */
export const sizeText = (bytes: number): string => {
  const power = Math.min(SIZE_UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const amount = bytes / 1024 ** power
  return `${power === 0 ? amount : amount.toFixed(1)} ${SIZE_UNITS[power]}`
}

/** Milliseconds for people: `83ms`, `4.2s`, `3m07s`, `2h15m`, `3d04h`. */
export const durationText = (ms: number): string => {
  if (ms < 1000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`
  if (ms < 3_600_000) return twoUnits(ms, 60_000, 'm', 1000, 's')
  if (ms < 86_400_000) return twoUnits(ms, 3_600_000, 'h', 60_000, 'm')
  return twoUnits(ms, 86_400_000, 'd', 3_600_000, 'h')
}

const twoUnits = (ms: number, big: number, bigName: string, small: number, smallName: string): string =>
  `${Math.floor(ms / big)}${bigName}${String(Math.floor((ms % big) / small)).padStart(2, '0')}${smallName}`

/** A time from the API in the local time zone, to the second. */
export const timeText = (timestamp: string | null): string => {
  if (timestamp === null) return ''
  const time = new Date(timestamp)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}

/** The same without today's date, to keep tables narrow. */
export const shortTimeText = (timestamp: string | null, now: number): string => {
  const text = timeText(timestamp)
  const today = timeText(new Date(now).toISOString()).slice(0, 10)
  return text.startsWith(today) ? text.slice(11) : text
}

/** How long it ran or has been running; empty before it starts. */
export const ranText = (
  ran: { readonly started_at: string | null; readonly finished_at: string | null },
  now: number,
) => {
  if (ran.started_at === null) return ''
  const end = ran.finished_at === null ? now : Date.parse(ran.finished_at)
  return durationText(Math.max(0, end - Date.parse(ran.started_at)))
}

/** Labels in the notation of options: `team=data env=live`. */
export const labelsText = (labels: Readonly<Record<string, string>> | null | undefined): string =>
  Object.entries(labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
