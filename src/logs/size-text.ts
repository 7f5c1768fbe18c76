const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

/** Formats a size for people: `1 GiB`, `1.5 MiB`, `1000 bytes`. */
export const sizeText = (bytes: number): string => {
  let amount = bytes
  let unit = 0
  for (; amount >= 1024 && unit < UNITS.length - 1; unit++) amount /= 1024
  return `${Number(amount.toFixed(1))} ${UNITS[unit]}`
}
