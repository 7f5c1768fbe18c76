/** A URL safe for logs: without credentials, and without the query, which often holds a key. */
export const shownUrl = (text: string): string => {
  const url = new URL(text)
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`
}
