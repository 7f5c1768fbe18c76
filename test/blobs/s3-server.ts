import { mkdtempSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver, { type Middleware } from 's3rver'

/** The credentials that this server accepts. */
export const S3_KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const

export type S3Server = { readonly endpoint: string; close(): Promise<void> }

/** A server of the S3 protocol on the loopback address with empty buckets of these names. */
export const startS3Server = async (...buckets: readonly string[]): Promise<S3Server> => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-s3-'))
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: buckets.map(name => ({ name, configs: [] })),
  })
  // Otherwise it logs to the console about requests while it closes, when it can no longer write.
  server.logger.silent = true
  server.middleware.unshift(onlyOnce())
  const { port } = await server.run()
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      server.httpServer.closeAllConnections()
      await server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** `If-None-Match: *` as in S3, which s3rver does not support: it overwrites the object, even while somebody reads it. */
const onlyOnce = (): Middleware => {
  const objects = new Map<string, 'written' | 'there'>()
  return async (context, next) => {
    const { method, path, headers } = context
    if (method !== 'PUT' || headers['if-none-match'] !== '*') return next()
    const state = objects.get(path)
    if (state !== undefined) {
      context.respond = false
      if (state === 'there') refuse(context.res, 412, 'PreconditionFailed')
      else refuse(context.res, 409, 'ConditionalRequestConflict')
      return
    }
    objects.set(path, 'written')
    await next().catch(error => {
      objects.delete(path)
      throw error
    })
    objects.set(path, 'there')
  }
}

/** A refusal as S3 sends it. */
export const refuse = (response: ServerResponse, status: number, code: string): true => {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>In words of the store.</Message></Error>`)
  return true
}
