type Body = Readonly<Record<string, unknown>>

/**
 * Where a sink's secrets go: its URL, or for S3 its endpoint, because buckets only see signatures. Sinks with equal destinations may be trusted with the
 * same secrets.
 */
export const destinationOfSink = (sink: unknown): string => {
  const { type, url, endpoint } = asBody(sink)
  return JSON.stringify([type, url ?? endpoint ?? null])
}

/** Where a request's headers go: the origin, as in browsers, whatever the path. */
export const destinationOfRequest = (http: unknown): string => {
  const { url } = asBody(http)
  return JSON.stringify(typeof url === 'string' ? (URL.parse(url)?.origin ?? url) : null)
}

const asBody = (value: unknown): Body => (typeof value === 'object' && value !== null ? (value as Body) : {})
