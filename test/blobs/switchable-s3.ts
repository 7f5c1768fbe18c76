import { request as httpRequest, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { serve } from '../fetch/local-server.ts'
import { startS3Server } from './s3-server.ts'

/** Answers a request instead of the store, or returns false to pass it on. */
export type Faulty = (
  request: { method: string; path: string; headers: IncomingHttpHeaders },
  response: ServerResponse,
) => boolean

/** A store of the S3 protocol that can misbehave, for one test. */
export const startSwitchableS3 = async (
  ...buckets: readonly string[]
): Promise<{ readonly endpoint: string; fault: Faulty | null; close(): Promise<void> }> => {
  const store = await startS3Server(...buckets)
  const switchable = { endpoint: '', fault: null as Faulty | null, close: store.close }
  const proxy = await serve((request, response) => {
    const [method, path, headers] = [request.method!, request.url!, request.headers]
    if (switchable.fault?.({ method, path, headers }, response)) return void request.resume()
    // With the same Host header, which is signed.
    const passed = httpRequest(store.endpoint + path, { method, headers }, answer => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.on('error', () => response.destroy())
      answer.pipe(response)
    })
    passed.on('error', () => response.destroy())
    request.pipe(passed)
  })
  switchable.endpoint = `http://127.0.0.1:${proxy.port}`
  return switchable
}
