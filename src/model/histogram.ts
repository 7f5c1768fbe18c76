/**
 * Counts of durations in buckets that grow by a fixed factor. Histograms of many hours can be added, and quantiles are off by at most half a bucket (4.5 %).
 * Bucket 0 is below 1 ms; bucket `n` holds [2^((n−1)/8), 2^(n/8)) ms.
 */
const PER_DOUBLING = 8
/** About 34 years. */
const LAST_BUCKET = 40 * PER_DOUBLING

/** The bucket of a duration in milliseconds. Both databases compute the same in SQL. */
export const bucketOf = (milliseconds: number): number =>
  milliseconds < 1 ? 0 : Math.min(LAST_BUCKET, Math.floor(Math.log2(milliseconds) * PER_DOUBLING) + 1)

/** The middle of a bucket, in milliseconds. */
const middleOf = (bucket: number): number => (bucket === 0 ? 0.5 : 2 ** ((bucket - 0.5) / PER_DOUBLING))

/** The duration in ms that a share `quantile` (0…1) of them does not exceed; null if there are none. */
export const quantileOf = (histogram: Readonly<Record<number, number>>, quantile: number): number | null => {
  const buckets = Object.entries(histogram)
    .map(([bucket, count]) => ({ bucket: Number(bucket), count }))
    .sort((a, b) => a.bucket - b.bucket)
  const total = buckets.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return null
  let seen = 0
  for (const { bucket, count } of buckets) {
    seen += count
    if (seen >= quantile * total) return middleOf(bucket)
  }
  return middleOf(buckets.at(-1)!.bucket)
}
