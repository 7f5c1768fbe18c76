type Body = Readonly<Record<string, unknown>>

/**
 * Where the secrets of a sink go: its URL; of S3 the endpoint, for buckets see only signatures. Two that are equal may be
 * trusted with the same secret.
 */
export const destinationOfSink = (sink: unknown): string => {
  const { type, url, endpoint } = asBody(sink)
  return JSON.stringify([type, url ?? endpoint ?? null])
}

/** Where the headers of a request go: the server, whatever the path, as browsers see it. */
export const destinationOfRequest = (http: unknown): string => {
  const { url } = asBody(http)
  return JSON.stringify(typeof url === 'string' ? (URL.parse(url)?.origin ?? url) : null)
}

const asBody = (value: unknown): Body => (typeof value === 'object' && value !== null ? (value as Body) : {})
