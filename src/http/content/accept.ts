/**
 * Chooses among the media types that a route offers (RFC 9110, 12.5.1): the one with the highest quality, the first in case of a tie. null: none is acceptable.
 * Without a header, everything is acceptable.
 */
export const chooseType = <T extends string>(header: string | undefined, offered: readonly T[]): T | null => {
  if (header === undefined || header.trim() === '') return offered[0] ?? null
  const wanted = header.split(',').map(readRange)
  let best: { type: T; quality: number } | null = null
  for (const type of offered) {
    const quality = qualityOf(type, wanted)
    if (quality > (best?.quality ?? 0)) best = { type, quality }
  }
  return best?.type ?? null
}

/** RFC 9110 calls it a media range: `text/*;q=0.5`. */
type MediaRange = { readonly range: string; readonly quality: number }

const readRange = (text: string): MediaRange => {
  const [range = '', ...parameters] = text.split(';').map(part => part.trim().toLowerCase())
  const quality = parameters.find(parameter => parameter.startsWith('q='))
  return { range, quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0 }
}

/** The quality of the most specific range that matches the type. */
const qualityOf = (type: string, wanted: readonly MediaRange[]): number => {
  const family = `${type.slice(0, type.indexOf('/'))}/*`
  for (const range of [type, family, '*/*']) {
    const match = wanted.find(candidate => candidate.range === range)
    if (match) return match.quality
  }
  return 0
}
