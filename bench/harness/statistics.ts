/** The value below which the share `p` (0…1) of the values lies (nearest rank). */
export const percentile = (values: readonly number[], p: number): number => {
  if (values.length === 0) throw new Error('no values to take a percentile of')
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!
}

/** The middle value; of an even count the lower of the two, so that it is one that was measured. */
export const median = (values: readonly number[]): number => percentile(values, 0.5)
