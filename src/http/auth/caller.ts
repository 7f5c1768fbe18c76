import type { Scope } from '../../model/scopes.ts'

/** Who makes a request: a token, or a running job through its own. */
export type Caller = {
  readonly workspace: string
  readonly scopes: readonly Scope[]
  readonly tokenId: string | null
  readonly job: { readonly jobId: string; readonly attempt: number } | null
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by authentication before anything else of a route that is not public. */
    caller: Caller
    /** The JSON body as it came. */
    rawBody: Buffer | null
  }
}
