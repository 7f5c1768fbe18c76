/** Fetches a page as text. Throws when the answer is not 200, so that the item is tried again. */
export const fetchPage = async (url: string, signal: AbortSignal): Promise<string> => {
  const response = await fetch(url, { signal, headers: { 'user-agent': 'millrace-example' } })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return response.text()
}

/** The texts that the first group of a pattern finds, entities decoded. */
export const findAll = (html: string, pattern: RegExp): readonly string[] =>
  [...html.matchAll(pattern)].map(match => decode(match[1]!))

/** The text of the first element with that attribute `itemprop`. Throws when there is none: the page has changed. */
export const readProperty = (html: string, name: string): string => {
  const found = new RegExp(`itemprop="${name}"[^>]*>([^<]*)<`).exec(html)
  if (found === null) throw new Error(`the page has no ${name}`)
  return decode(found[1]!.trim())
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

const decode = (text: string): string => text.replace(/&(\w+|#39);/g, (entity, name) => ENTITIES[name] ?? entity)
