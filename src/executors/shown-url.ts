/** A URL safe for logs: without credentials, and without the query, which often holds a key. */
export const shownUrl = (text: string): string => {
  const { protocol, host, pathname, search } = new URL(text)
  return `${protocol}//${host}${pathname}${search === '' ? '' : '?…'}`
}
