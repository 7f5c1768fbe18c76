/** The part of s3rver that the tests use, which has no types of its own. */
declare module 's3rver' {
  import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http'
  import type { AddressInfo } from 'node:net'

  export type Middleware = (context: Context, next: () => Promise<void>) => Promise<void>
  type Context = {
    readonly method: string
    readonly path: string
    readonly headers: IncomingHttpHeaders
    readonly res: ServerResponse
    /** false: the response is sent by hand. */
    respond: boolean
  }

  export default class S3rver {
    constructor(options: {
      address: string
      port: number
      silent: boolean
      directory: string
      configureBuckets: readonly { name: string; configs: readonly string[] }[]
    })
    readonly httpServer: Server
    readonly logger: { silent: boolean }
    /** Of Koa, which it is based on: the first one is called first. */
    readonly middleware: Middleware[]
    run(): Promise<AddressInfo>
    close(): Promise<void>
  }
}
