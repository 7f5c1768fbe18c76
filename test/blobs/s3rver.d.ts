/** What the tests use of s3rver, which has no types of its own. */
declare module 's3rver' {
  import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http'
  import type { AddressInfo } from 'node:net'

  export type Middleware = (context: Context, next: () => Promise<void>) => Promise<void>
  type Context = {
    readonly method: string
    readonly path: string
    readonly headers: IncomingHttpHeaders
    readonly res: ServerResponse
    /** false: the answer is given by hand. */
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
    /** Of Koa, which it is: the first is asked first. */
    readonly middleware: Middleware[]
    run(): Promise<AddressInfo>
    close(): Promise<void>
  }
}
