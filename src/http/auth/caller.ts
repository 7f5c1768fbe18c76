import type { Scope } from '../../model/scopes.ts'

/** Who makes a request: a token's owner, or a running job with its own token. */
export type Caller = {
  readonly workspace: string
  readonly scopes: readonly Scope[]
  readonly tokenId: string | null
  readonly job: { readonly jobId: string; readonly attempt: number } | null
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by authentication before anything else, on every route that is not public. */
    caller: Caller
    /** The JSON body as received. */
    rawBody: Buffer | null
  }
}
